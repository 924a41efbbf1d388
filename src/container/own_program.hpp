// Where this program lies, for those who are to run it later.
#pragma once

#include <string>

#include "callcensus/result.hpp"

namespace callcensus {

/// An absolute path without symbolic links.
[[nodiscard]] Result<std::string> own_program();

}  // namespace callcensus
