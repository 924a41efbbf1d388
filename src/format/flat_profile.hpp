// A profile in the terms that simpler formats can say: no conditions on the container, and what is decided
// for each call instead of a list of rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"

namespace callcensus::flat {

/// What resolve() for the machine takes away.
void tell_of_resolving(const Profile& profile, const Machine& machine, std::vector<std::string>& losses);

/// The profile resolved for the machine; what that takes away is told in `losses`.
[[nodiscard]] Profile flatten(const Profile& profile, const Machine& machine,
                              std::vector<std::string>& losses);

/// "ENOSYS", or the number where it has no name.
[[nodiscard]] std::string errno_text(std::uint32_t errnum);

/// "ENOSYS", "SCMP_ACT_TRAP".
[[nodiscard]] std::string name_of(const Decision& decision);

/// A decision under conditions that must all hold, each on another argument.
struct ConditionalDecision {
    std::vector<ArgumentCondition> conditions;
    Decision decision;
};

/// What a profile says of one call, as runtimes have libseccomp read it: rules like the default say nothing;
/// an unconditional rule beats conditional ones and of several the first counts; where a rule has two
/// conditions on one argument each of its conditions is a rule of its own (runc, crun).
struct CallPolicy {
    std::string name;
    std::optional<Decision> always;
    std::vector<ConditionalDecision> sometimes;  ///< empty where there is an `always`
};

/// Of every call that a resolved profile names and treats otherwise than by default, in the order in which it
/// names them.
[[nodiscard]] std::vector<CallPolicy> policy_by_call(const Profile& resolved);

/// The ABIs that a resolved profile is for. Architectures of which we know no ABI are left out.
[[nodiscard]] std::vector<Abi> covered_abis(const Profile& resolved, const Machine& machine);

[[nodiscard]] bool kills(const Decision& decision);

/// Calls of which a format cannot say all that the profile does.
struct Unsaid {
    std::vector<std::string> logged;
    std::vector<std::string> conditional;
    std::vector<std::string> otherwise_denied;

    void add_denial(const CallPolicy& call, const Decision& denial);
    /// `instead` is what happens to those that are denied otherwise: "they are killed".
    void tell(const std::string& instead, std::vector<std::string>& losses) const;
};

/// What a denylist without conditions says of a call: its denial, or of several under conditions the first.
/// Empty for a call that is let through always.
[[nodiscard]] std::optional<Decision> denial_of(const CallPolicy& call, Unsaid& unsaid);

/// "a, b, c and 3 more", on one line.
[[nodiscard]] std::string listed(const std::vector<std::string>& names);

/// Lines beginning with `#`: where the file comes from, and the comments of the rules.
[[nodiscard]] std::string heading_comment(const Profile& profile, const std::string& source);

/// For formats that have neither.
void tell_of_listener_and_flags(const Profile& profile, std::vector<std::string>& losses);

}  // namespace callcensus::flat
