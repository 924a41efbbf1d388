/// The smallest changes to a profile after which it lets certain calls through: what `verify --fix` writes.
///
///     const auto fixed = fix(profile, this_machine(), needs);
///     for (const std::string& line : fixed->changes[0]) …   // add "mount" to a rule that allows it
///
/// Everything else stays as it is and where it is. What a name says it says on every ABI of the profile: a
/// call needed on one of them is let through on all. As meaning.hpp, by which the changes are chosen, it goes
/// by runtimes' reading; where a new rule has to stand before a conditional one that denies more than what is
/// needed, lint's CC304 tells what libseccomp makes of such rules.
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
#include "callcensus/result.hpp"

namespace callcensus {

/// A call that is to be let through.
struct Need {
    Syscall call{};
    std::optional<Arguments> arguments;  ///< empty: not known, so whatever they are
    std::string reason;                  ///< for the new rule's comment: "verify: made by /usr/bin/x"
};

struct Fixed {
    Profile profile;
    /// For each need what was changed for it, one line each. Empty where the profile lets it through anyway,
    /// or by what was changed for another need.
    std::vector<std::vector<std::string>> changes;
    /// Indexes of needs that no profile can express: calls without a name, and those of an ABI that an
    /// archMap cannot give this machine. Nothing is changed for them.
    std::vector<std::size_t> impossible;
};

/// Where rules with conditions on arguments speak of the call, what is let through is what these look at, as
/// it is in the need. One new rule holds all other names. Fails where the machine is none.
[[nodiscard]] Result<Fixed> fix(const Profile& profile, const Machine& machine, std::span<const Need> needs);

}  // namespace callcensus
