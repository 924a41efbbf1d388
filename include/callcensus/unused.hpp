/// What a profile allows that a run never used, by rule.
///
///     for (const UnusedAllowance& one : unused(profile, this_machine(), used))
///         for (const std::string& name : one.names) …   // risk_of(name) says how much it matters
///
/// One run is no proof that a call is never needed; what a runtime calls before the command, and what happens
/// unseen (derive.hpp), a recording of the command does not have.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/argument_set.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"

namespace callcensus {

/// A call that was made.
struct Used {
    Syscall call{};
    std::optional<std::vector<Arguments>> arguments;  ///< with which; empty: not known
};

/// Names of one rule that nobody used, or of which nobody knows.
struct UnusedAllowance {
    std::size_t rule = 0;            ///< its index in Profile::rules
    std::vector<std::string> names;  ///< in the order of the rule
    bool whole_rule = false;         ///< all of its names that the profile's ABIs have
    /// The calls were made, but nobody knows with which arguments: whether the rule's conditions held is
    /// open.
    bool perhaps = false;

    friend bool operator==(const UnusedAllowance&, const UnusedAllowance&) = default;
};

/// Of the rules that let through, apply on the machine and do not just repeat the default; in their order,
/// what is certain first. A name is used where the call was made on any of the profile's ABIs, by itself or
/// through socketcall or ipc, with arguments that meet the rule's conditions. Names that none of these ABIs
/// has allow nothing and are not listed.
[[nodiscard]] std::vector<UnusedAllowance> unused(const Profile& profile, const Machine& machine,
                                                  std::span<const Used> used);

}  // namespace callcensus
