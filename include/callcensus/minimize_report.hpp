/// What a search for a smaller profile has found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "callcensus/minimize.hpp"

namespace callcensus {

[[nodiscard]] std::vector<std::string> minimize_lines(const Minimized& minimized);
/// One line.
[[nodiscard]] std::string minimize_json(const Minimized& minimized);

}  // namespace callcensus
