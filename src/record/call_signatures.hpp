// What the arguments of system calls are, by name.
#pragma once

#include <string_view>

#include "callcensus/abi.hpp"

namespace callcensus {

// The kinds of the arguments in order, with a space between, or null where the call is not known. Kinds are
// those of constants.hpp and of call_text.cpp.
[[nodiscard]] const std::string_view* find_signature(Abi abi, std::string_view call);

}  // namespace callcensus
