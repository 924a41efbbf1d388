#include "callcensus/verify_findings.hpp"

#include <fmt/format.h>

#include "callcensus/compile.hpp"
#include "callcensus/fix.hpp"

namespace callcensus {
namespace {

// How the profile is read here: as podman reads it, which knows most.
Result<Reading> reading_of(const Denial& denial, const Profile& profile, const Machine& machine,
                           const PolicyInForce& policy) {
    KnownArguments known;
    if (denial.first_arguments)
        for (const std::uint32_t index : policy.looks_at.at(denial.call))
            known.at(index) = denial.first_arguments->at(index);
    auto readings = explain(profile, machine, denial.call.abi, std::to_string(denial.call.number), known);
    if (!readings) return tl::unexpected(readings.error());
    return std::move(readings->front());
}

// One for each of the arguments.
std::vector<Need> needs_of(const Denial& denial) {
    if (denial.decision && !is_denial(denial)) return {};
    const std::string reason =
        "verify: made by " + (denial.runtime.empty() ? denial.executable : denial.runtime);
    if (denial.arguments.empty()) return {{denial.call, std::nullopt, reason}};
    std::vector<Need> needs;
    for (const Arguments& arguments : denial.arguments) needs.push_back({denial.call, arguments, reason});
    return needs;
}

}  // namespace

Observed observed_in(std::span<const Recording> recordings, const PolicyInForce& policy) {
    Observed observed;
    Recording& rest = observed.rest;
    for (const Recording& recording : recordings) {
        for (const CallRecord& record : recording.calls) observed.used.push_back({record.call, std::nullopt});
        rest.duration += recording.duration;
        rest.processes.insert(rest.processes.end(), recording.processes.begin(), recording.processes.end());
        rest.gaps.insert(rest.gaps.end(), recording.gaps.begin(), recording.gaps.end());
        if (!recording.assumed.empty())
            rest.gaps.push_back(
                fmt::format("{} calls were known beforehand and not looked for", recording.assumed.size()));
    }
    for (Denial& denial : denials_of(recordings, policy)) observed.found.push_back({std::move(denial), {}});
    return observed;
}

Result<std::vector<VerifyFinding>> findings_of(std::vector<Found> found, const Profile& profile,
                                               const Machine& machine, const PolicyInForce& policy) {
    std::vector<VerifyFinding> findings;
    for (Found& one : found) {
        auto reading = reading_of(one.denial, profile, machine, policy);
        if (!reading) return tl::unexpected(reading.error());
        const auto fixed = fix(profile, machine, needs_of(one.denial));
        if (!fixed) return tl::unexpected(fixed.error());
        VerifyFinding finding{std::move(one.denial), std::move(one.stack), std::move(*reading), {}, {}};
        finding.no_profile_can = !fixed->impossible.empty();
        for (const auto& changes : fixed->changes)
            finding.changes.insert(finding.changes.end(), changes.begin(), changes.end());
        findings.push_back(std::move(finding));
    }
    return findings;
}

Result<Profile> allowing(std::span<const VerifyFinding> findings, const Profile& profile,
                         const Machine& machine) {
    std::vector<Need> needs;
    for (const VerifyFinding& finding : findings) {
        const std::vector<Need> own = needs_of(finding.denial);
        needs.insert(needs.end(), own.begin(), own.end());
    }
    auto fixed = fix(profile, machine, needs);
    if (!fixed) return tl::unexpected(fixed.error());
    if (const auto loads = compile(fixed->profile, machine); !loads)
        return fail("would not be loaded once it allows the findings: " + loads.error().text());
    return std::move(fixed->profile);
}

}  // namespace callcensus
