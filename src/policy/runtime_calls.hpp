// What container runtimes call between loading a filter and executing the command: without it the container
// does not start.
#pragma once

#include <string>
#include <vector>

#include "callcensus/derive.hpp"

namespace callcensus {

/// The names needed, sorted. `denial_kills`: the profile's default action ends the task instead of failing
/// the call, so that calls whose failure the runtime would survive are needed too.
[[nodiscard]] std::vector<std::string> runtime_calls(RuntimeSet runtime, bool container_exec,
                                                     bool denial_kills);

}  // namespace callcensus
