// What libseccomp makes of rules for one call: whether it takes them at all, and what the filter then
// decides, as sets of arguments.
//
// As they are written, the first of the rules whose conditions hold decides. libseccomp goes by an order of
// its own: arguments by number, operators by kind, constants by size. The two differ only where rules of
// different actions overlap, and where it compiles them wrongly (compiles_as_read()).
#pragma once

#include <optional>
#include <span>

#include "callcensus/meaning.hpp"

namespace callcensus {

/// Whether libseccomp may decide otherwise than the first rule whose conditions hold, or refuse the rules,
/// though they are of the kind that it compiles rightly. None of the rules has the default's decision.
[[nodiscard]] bool is_in_doubt(std::span<const Rule* const> rules, ArgumentWidth width);

/// Whether libseccomp takes all of the rules, one after the other. None of them has the default's decision.
[[nodiscard]] bool libseccomp_takes(std::span<const Rule* const> rules, const Decision& otherwise,
                                    ArgumentWidth width);

/// Empty where libseccomp refuses the rules or never returns, and where its filter cannot be said in sets.
[[nodiscard]] std::optional<CallMeaning> compiled_meaning(std::span<const Rule* const> rules,
                                                          const Decision& otherwise, ArgumentWidth width);

}  // namespace callcensus
