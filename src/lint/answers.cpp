#include "lint/answers.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "callcensus/explain.hpp"
#include "lint/checks.hpp"

namespace callcensus {
namespace {

// That some do not read `name`, CC115 says; here it counts as it was meant.
Profile with_names(Profile profile) {
    for (Rule& rule : profile.rules)
        if (rule.names.empty() && !rule.name.empty()) rule.names.push_back(std::exchange(rule.name, {}));
    return profile;
}

Profile as_read_by(const ConsumerFacts& consumer, const Profile& profile) {
    if (!consumer.dockers_fields) return as_plain_oci(with_names(profile));
    return consumer.errno_names ? profile : without_errno_names(profile);
}

}  // namespace

const RuleDenial* Answer::denial() const {
    const auto by_rule = std::find_if(denials.begin(), denials.end(),
                                      [](const RuleDenial& it) { return it.rule.has_value(); });
    if (by_rule != denials.end()) return &*by_rule;
    return always_denied() ? &denials.front() : nullptr;
}

Answers::Answers(const Profile& profile, const ConsumerFacts& consumer, Rights rights,
                 const std::vector<Abi>& abis)
    : profile_(as_read_by(consumer, profile)) {
    std::set<Abi> natives;
    for (const Abi abi : abis) natives.insert(info(abi).native);
    Machine machine = this_machine();
    machine.caps = docker_default_capabilities();
    if (rights == Rights::all_named)
        for (const Rule& rule : profile_.rules)
            for (const Context* context : {&rule.includes, &rule.excludes})
                machine.caps.insert(context->caps.begin(), context->caps.end());
    for (const Abi native : natives) {
        machine.arch = std::string(info(native).go_name);
        machines_.push_back(rules_by_name(profile_, machine));
    }
}

Answer Answers::of(std::string_view call) const {
    Answer answer{{}, true};
    for (const RulesByName& by_name : machines_) {
        Answer here = on(by_name, call);
        answer.lets_through = answer.lets_through && here.lets_through;
        std::move(here.denials.begin(), here.denials.end(), std::back_inserter(answer.denials));
    }
    return answer;
}

bool Answers::names(std::string_view call) const {
    return std::any_of(machines_.begin(), machines_.end(),
                       [&](const RulesByName& by_name) { return by_name.count(std::string(call)) != 0; });
}

Answer Answers::on(const RulesByName& by_name, std::string_view call) const {
    const Decision by_default = default_decision(profile_);
    const auto found = by_name.find(std::string(call));
    const auto rules = found == by_name.end() ? std::vector<const Rule*>{} : found->second;
    // Rules that are too complicated are left to those who read them.
    const auto meaning = meaning_of(rules, by_default, ArgumentWidth::bits64);
    if (!meaning) return {{}, true};
    Answer answer{{}, !meaning->let_through().empty()};
    const auto add = [&](const Decision& decision) {
        if (callcensus::lets_through(decision.action)) return;
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule* it) {
            return decision != by_default && decision_of(*it) == decision;
        });
        const bool is_rules = rule != rules.end();
        answer.denials.push_back(
            {decision, is_rules ? std::optional(static_cast<std::size_t>(*rule - profile_.rules.data()))
                                : std::nullopt});
    };
    for (const CallMeaning::Part& part : meaning->parts) add(part.decision);
    add(meaning->otherwise);
    return answer;
}

}  // namespace callcensus
