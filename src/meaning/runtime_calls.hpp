// What container runtimes call between loading a filter and executing the command: without it the container
// does not start.
#pragma once

#include <string>
#include <vector>

#include "callcensus/profile.hpp"
#include "callcensus/runtime_set.hpp"

namespace callcensus {

/// How a container is started; what is needed differs by that.
struct ContainerUse {
    bool exec = true;                ///< commands are executed in it later, too (`podman exec`)
    bool no_new_privileges = false;  ///< each time with no_new_privs: the filter is loaded last of all then
    bool denial_kills = false;  ///< a denied call ends the task, where the runtime would survive an error
};

/// ContainerUse::denial_kills of a profile that denies so.
[[nodiscard]] bool denial_kills(Action action);

/// The names needed, sorted.
[[nodiscard]] std::vector<std::string> runtime_calls(RuntimeSet runtime, ContainerUse use);

/// Whether no container used so starts where that call is denied: every version of the runtime, and of `any`
/// both, make it each time before the command.
[[nodiscard]] bool stops_every_start(RuntimeSet runtime, ContainerUse use, const std::string& denied);

}  // namespace callcensus
