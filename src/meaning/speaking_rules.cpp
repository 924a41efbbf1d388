#include "meaning/speaking_rules.hpp"

#include "callcensus/meaning.hpp"

namespace callcensus {

std::vector<SpeakingRule> speaking_rules(const Profile& profile, Abi abi, const std::string& name) {
    std::vector<SpeakingRule> rules;
    for (std::size_t i = 0; i < profile.rules.size(); ++i) {
        const Rule& rule = profile.rules[i];
        if (!is_multiplexer(name)) {
            if (rule.speaks_of(name)) rules.push_back({i, rule, true});
            continue;
        }
        for (const std::string& other : names_of(rule)) {
            if (other == name)
                rules.push_back({i, rule, true});
            else if (const auto by = multiplexed(abi, other); by && by->call == name)
                for (Rule& through : through_multiplexer(rule, *by))
                    rules.push_back({i, std::move(through), false});
        }
    }
    return rules;
}

std::vector<SpeakingRule> speaking_rules(const Profile& profile, const Machine& machine, Abi abi,
                                         const std::string& name) {
    std::vector<SpeakingRule> rules = speaking_rules(profile, abi, name);
    std::erase_if(rules, [&](const SpeakingRule& one) {
        return !applies(one.rule, machine) || decision_of(one.rule) == default_decision(profile);
    });
    return rules;
}

}  // namespace callcensus
