// Recognises commands that start containers, so that their users can be told what can be recorded, and how.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace callcensus {

enum class ContainerCommand : std::uint8_t {
    no,
    starts_it,      ///< the container's processes descend from the command: podman, runc, crun
    asks_a_daemon,  ///< they do not: docker and the like
};
[[nodiscard]] ContainerCommand container_command(const std::vector<std::string>& argv);

}  // namespace callcensus
