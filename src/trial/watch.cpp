#include "trial/watch.hpp"

#include "base/signals.hpp"
#include "record/recording_heading.hpp"

namespace callcensus {

void report_what_is_denied(Plan& plan, const PolicyInForce& policy, bool usage) {
    plan.learn_only = policy.let_through;
    if (usage) return;
    plan.known = policy.let_through;
    plan.known_if = policy.let_through_if;
    plan.patience = 0;
}

void enforce(Launch& launch, const PolicyInForce& policy) {
    launch.filter = LoadedFilter{policy.filter, policy.filter_flags};
}

Result<Watched> watch(const Recorder& recorder, const Target& target, const Plan& plan,
                      const PolicyInForce& policy, VerifyObserver::Wishes wishes,
                      const std::string& profile) {
    VerifyObserver observer(policy, target, std::move(wishes));
    auto outcome = recorder.run(target, plan, observer);
    ignore_requests_to_end();
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->filter_errno != 0)
        return fail("the kernel does not take its filter", profile, outcome->filter_errno);
    Watched watched{{observer.found(), observer.used(), observer.recording()}, std::move(*outcome)};
    std::vector<std::string>& gaps = watched.observed.rest.gaps;
    if (std::holds_alternative<Attach>(target))
        gaps.insert(gaps.begin(), "attached to running processes: what they called before is not known");
    if (watched.outcome.let_go != 0) gaps.push_back(gap_of_let_go(watched.outcome.let_go));
    return watched;
}

}  // namespace callcensus
