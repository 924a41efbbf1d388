/// What was seen of a program, held against a profile, and the changes that would allow it.
///
///     const Observed observed = observed_in(recordings, *policy);
///     const auto findings = findings_of(observed.found, profile, machine, *policy);
///     const auto mended = allowing(*findings, profile, machine);
#pragma once

#include <span>
#include <string>
#include <vector>

#include "callcensus/call_site.hpp"
#include "callcensus/explain.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"
#include "callcensus/unused.hpp"
#include "callcensus/verify.hpp"

namespace callcensus {

/// A denial and, where it was asked for, how the first one came about.
struct Found {
    Denial denial;
    std::vector<CallSite> stack;
};

struct Observed {
    std::vector<Found> found;
    std::vector<Used> used;
    Recording rest;  ///< duration, processes, gaps and notes
};

/// What recordings have seen together.
[[nodiscard]] Observed observed_in(std::span<const Recording> recordings, const PolicyInForce& policy);

/// A denial, who in the program made the call, why it is denied and what would allow it.
struct VerifyFinding {
    Denial denial;
    std::vector<CallSite> stack;       ///< of the first one, where it was asked for
    Reading reading;                   ///< by the reader that verify stands for
    std::vector<std::string> changes;  ///< the smallest that would allow it
    bool no_profile_can = false;       ///< allow it: the call has no name
};
/// Each by itself: what allows one may allow another, too. `policy` is the profile in force on the machine.
[[nodiscard]] Result<std::vector<VerifyFinding>> findings_of(std::vector<Found> found, const Profile& profile,
                                                             const Machine& machine,
                                                             const PolicyInForce& policy);

/// The profile with the smallest changes that allow all of them; what no profile can allow stays denied.
/// Fails where it could not be loaded.
[[nodiscard]] Result<Profile> allowing(std::span<const VerifyFinding> findings, const Profile& profile,
                                       const Machine& machine);

}  // namespace callcensus
