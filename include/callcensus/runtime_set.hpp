/// The container runtimes whose own calls a profile has to allow: runc and crun make them between loading the
/// filter and executing the command.
#pragma once

#include <cstdint>

namespace callcensus {

enum class RuntimeSet : std::uint8_t { any, runc, crun, none };

}  // namespace callcensus
