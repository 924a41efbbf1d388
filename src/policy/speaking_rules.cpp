#include "policy/speaking_rules.hpp"

#include "callcensus/meaning.hpp"

namespace callcensus {

std::vector<std::string> names_of(const Rule& rule) {
    std::vector<std::string> names = rule.names;
    if (!rule.name.empty()) names.push_back(rule.name);
    return names;
}

std::vector<SpeakingRule> speaking_rules(const Profile& profile, const Machine& machine, Abi abi,
                                         const std::string& name) {
    std::vector<SpeakingRule> own, through;
    for (std::size_t i = 0; i < profile.rules.size(); ++i) {
        const Rule& rule = profile.rules[i];
        if (!applies(rule, machine) || decision_of(rule) == default_decision(profile)) continue;
        if (rule.speaks_of(name)) own.push_back({i, rule, true});
        for (const std::string& other : names_of(rule))
            if (const auto by = multiplexed(abi, other); by && by->call == name)
                through.push_back({i, through_multiplexer(rule, *by), false});
    }
    own.insert(own.end(), through.begin(), through.end());
    return own;
}

}  // namespace callcensus
