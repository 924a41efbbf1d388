// An OCI runtime that is runc, or another one, with our hook where a container asks for it. For Docker, which
// has no directory of hooks.
//
//     const auto program = find_runtime(options);
//     prepare_container(options, arguments);      // what is said by `create` and `run`
//     execute_runtime(*program, arguments);       // does not return
#pragma once

#include <string>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus {

/// What whoever registers the runtime says; the runtime's own environment does where these are empty.
struct RuntimeOptions {
    std::string runtime;    ///< $CALLCENSUS_RUNTIME, or runc
    std::string directory;  ///< of strangers' files: $CALLCENSUS_DIRECTORY, or default_directory
    std::string trust;      ///< $CALLCENSUS_TRUST, or nobody
};

/// The path of the runtime that does the work.
[[nodiscard]] Result<std::string> find_runtime(const RuntimeOptions& options);

/// Where the arguments make a container that asks for a recording: adds the hook to its configuration. An
/// error, which is in the runtime's own log, too, is to keep it from being made.
[[nodiscard]] Result<void> prepare_container(const RuntimeOptions& options,
                                             const std::vector<std::string>& arguments);

/// Puts that runtime in the place of this process, without our variables in what it is to execute in a
/// container that runs. Returns why it could not.
[[nodiscard]] Error execute_runtime(const std::string& program, std::vector<std::string> arguments);

}  // namespace callcensus
