/// Decisions and conditions in words, the same in every report.
#pragma once

#include <span>
#include <string>

#include "callcensus/argument_set.hpp"
#include "callcensus/meaning.hpp"
#include "callcensus/profile.hpp"

namespace callcensus {

/// "allowed", "denied with EPERM", "kills the process".
[[nodiscard]] std::string describe(const Decision& decision);

/// "arg0 == 1 and arg1 & 0x7e020000 == 0, or arg0 == 3"
[[nodiscard]] std::string describe(std::span<const Conditions> alternatives);

/// "allowed if arg0 == 1 or arg0 == 3, else denied with EPERM"
[[nodiscard]] std::string describe(const CallMeaning& meaning);

/// A rule's includes and excludes: "with CAP_SYS_ADMIN, not on s390 or s390x"; empty where it has none.
[[nodiscard]] std::string describe(const Context& includes, const Context& excludes);

}  // namespace callcensus
