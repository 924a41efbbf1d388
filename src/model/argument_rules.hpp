// From sets of arguments to the tests of a filter.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/filter.hpp"
#include "callcensus/argument_set.hpp"

namespace callcensus {

/// `conditions` as conditions_of() writes them.
[[nodiscard]] ArgumentRule argument_rule(const Conditions& conditions, ArgumentWidth width,
                                         std::uint32_t answer);

/// Rules that give the answer to exactly the members of the set.
[[nodiscard]] std::vector<ArgumentRule> argument_rules(const ArgumentSet& set, ArgumentWidth width,
                                                       std::uint32_t answer);

}  // namespace callcensus
