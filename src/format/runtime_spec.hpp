// What we read of the OCI runtime specification's JSON: the state of a container, which its hooks get on
// their standard input (runtime.md, "State"), and the configuration in its bundle (config.md). The rest is
// not looked at, and may be anything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus {

using Annotations = std::map<std::string, std::string>;

struct ContainerState {
    std::string id;
    /// Of the container's first process, as the runtime sees it; 0 where it tells none.
    std::int32_t pid = 0;
    std::string bundle;                      ///< a directory; empty where it tells none
    std::optional<Annotations> annotations;  ///< empty where the runtime leaves them to the bundle's file
};
[[nodiscard]] Result<ContainerState> parse_container_state(std::string_view text, const std::string& source);

struct ContainerConfig {
    std::vector<std::string> command;  ///< process.args
    Annotations annotations;
    bool has_filter = false;  ///< linux.seccomp
};
[[nodiscard]] Result<ContainerConfig> parse_container_config(std::string_view text,
                                                             const std::string& source);

}  // namespace callcensus
