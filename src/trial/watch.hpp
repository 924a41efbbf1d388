// One run of a program, or of processes that run already, with every call held against a profile.
#pragma once

#include <string>

#include "callcensus/recorder.hpp"
#include "callcensus/verify_findings.hpp"
#include "trial/verify_observer.hpp"

namespace callcensus {

/// Fills in what a recorder need not report: what the policy lets through. With `usage` it is reported once.
void report_what_is_denied(Plan& plan, const PolicyInForce& policy, bool usage);

/// The profile is really loaded, and denies what it denies.
void enforce(Launch& launch, const PolicyInForce& policy);

struct Watched {
    Observed observed;
    Outcome outcome;
};
/// `plan` as report_what_is_denied() leaves it; `profile` is its name, for an error of the kernel's.
[[nodiscard]] Result<Watched> watch(const Recorder& recorder, const Target& target, const Plan& plan,
                                    const PolicyInForce& policy, VerifyObserver::Wishes wishes,
                                    const std::string& profile);

}  // namespace callcensus
