#include "callcensus/meaning.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <list>

#include "base/errno_names.hpp"

namespace callcensus {
namespace {

// What a profile says on that ABI about socketcall and ipc, where it speaks of what they do.
RulesByName multiplexer_rules(const RulesByName& by_name, Abi abi, std::list<Rule>& storage) {
    RulesByName multiplexers;
    for (const auto& [name, rules] : by_name) {
        const auto by = multiplexed(abi, name);
        if (!by) continue;
        for (const Rule* rule : rules) {
            storage.push_back(through_multiplexer(*rule, *by));
            multiplexers[std::string(by->call)].push_back(&storage.back());
        }
    }
    // Their own rules come first, for want of an order among names.
    for (auto& [name, rules] : multiplexers)
        if (const auto own = by_name.find(name); own != by_name.end())
            rules.insert(rules.begin(), own->second.begin(), own->second.end());
    return multiplexers;
}

}  // namespace

RulesByName rules_by_name(const Profile& profile, const Machine& machine) {
    RulesByName by_name;
    for (const Rule& rule : profile.rules) {
        if (!applies(rule, machine)) continue;
        const auto add = [&](const std::string& name) {
            auto& rules = by_name[name];
            if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
        };
        std::for_each(rule.names.begin(), rule.names.end(), add);
        if (!rule.name.empty()) add(rule.name);
    }
    return by_name;
}

Decision CallMeaning::decide(const Arguments& arguments) const {
    for (const Part& part : parts)
        if (part.arguments.contains(arguments)) return part.decision;
    return parts.back().decision;
}

const Decision* CallMeaning::constant() const {
    return parts.size() == 1 ? &parts.front().decision : nullptr;
}

ArgumentSet CallMeaning::let_through() const {
    ArgumentSet set;
    for (const Part& part : parts)
        if (lets_through(part.decision.action)) set = union_of(set, part.arguments);
    return set;
}

CallMeaning always(const Decision& decision, ArgumentWidth width) {
    return {{{decision, all_arguments(width)}}};
}

bool same(const CallMeaning& a, const CallMeaning& b) {
    const auto of = [](const CallMeaning& meaning, const Decision& decision) {
        for (const auto& part : meaning.parts)
            if (part.decision == decision) return part.arguments;
        return ArgumentSet{};
    };
    // Both cover everything: it is enough that each part lies within the other's.
    return std::all_of(a.parts.begin(), a.parts.end(), [&](const CallMeaning::Part& part) {
        return covers(of(b, part.decision), part.arguments);
    });
}

std::optional<CallMeaning> meaning_of(std::span<const Rule* const> rules, const Decision& otherwise,
                                      ArgumentWidth width) {
    CallMeaning meaning;
    ArgumentSet decided;
    for (const Rule* rule : rules) {
        const Decision decision = decision_of(*rule);
        if (decision != otherwise && rule->args.empty()) return always(decision, width);
    }
    for (const Rule* rule : rules) {
        const Decision decision = decision_of(*rule);
        if (decision == otherwise) continue;
        // What an earlier rule has decided otherwise is taken; what it has decided alike need not be cut off.
        const ArgumentSet own = set_of(rule->args, width);
        ArgumentSet free = own;
        CallMeaning::Part* same_decision = nullptr;
        for (CallMeaning::Part& part : meaning.parts) {
            if (part.decision == decision) {
                same_decision = &part;
                continue;
            }
            auto rest = difference(free, part.arguments);
            if (!rest) return std::nullopt;
            free = std::move(*rest);
        }
        decided = union_of(decided, own);
        if (free.empty()) continue;
        if (same_decision != nullptr)
            same_decision->arguments = union_of(same_decision->arguments, free);
        else
            meaning.parts.push_back({decision, free});
    }
    auto rest = difference(all_arguments(width), decided);
    if (!rest) return std::nullopt;
    if (!rest->empty()) meaning.parts.push_back({otherwise, std::move(*rest)});
    return meaning;
}

ArgumentWidth argument_width(Abi abi) {
    return info(abi).bits == 32 ? ArgumentWidth::bits32 : ArgumentWidth::bits64;
}

Decision Meaning::decide(Abi abi, const std::string& call, const Arguments& arguments) const {
    const auto of_abi = calls.find(abi);
    if (of_abi == calls.end()) return {Action::kill_thread, 0};
    const auto meaning = of_abi->second.find(call);
    if (meaning == of_abi->second.end()) return otherwise;
    Arguments seen = arguments;
    for (std::uint64_t& argument : seen) argument &= largest_argument(argument_width(abi));
    return meaning->second.decide(seen);
}

Rule through_multiplexer(const Rule& rule, const Multiplexed& by) {
    Rule other = rule;
    std::erase_if(other.args, [](const ArgumentCondition& condition) { return condition.index == 0; });
    other.args.insert(other.args.begin(), {0, by.selector, 0, "SCMP_CMP_EQ"});
    return other;
}

std::set<Abi> abis_of(const Profile& profile, Abi native) {
    // Native calls are always covered: libseccomp begins with them.
    std::set<Abi> abis{native};
    const auto add = [&](const std::string& token) {
        if (const AbiInfo* row = find_abi_by_token(token)) abis.insert(row->abi);
    };
    for (const std::string& token : profile.architectures) add(token);
    for (const ArchitectureFamily& family : profile.arch_map) {
        if (family.architecture != info(native).token) continue;
        for (const std::string& token : family.sub_architectures) add(token);
    }
    return abis;
}

Result<Meaning> meaning_of(const Profile& profile, const Machine& machine) {
    const AbiInfo* native = find_machine_abi(machine.arch);
    if (native == nullptr) return fail("\"" + machine.arch + "\" is no architecture that callcensus knows");
    Meaning meaning;
    meaning.otherwise = default_decision(profile);
    const auto by_name = rules_by_name(profile, machine);
    std::map<ArgumentWidth, std::map<std::string, CallMeaning>> by_width;
    for (const Abi abi : abis_of(profile, native->abi)) {
        const ArgumentWidth width = argument_width(abi);
        auto& calls = meaning.calls[abi];
        std::list<Rule> through;
        auto multiplexers = multiplexer_rules(by_name, abi, through);
        for (const auto& [name, rules] : multiplexers) {
            auto call = meaning_of(rules, meaning.otherwise, width);
            if (!call) return fail("has rules for " + name + " that are too complicated to compare");
            calls.emplace(name, std::move(*call));
        }
        for (const auto& [name, rules] : by_name) {
            if (!syscall_number(abi, name) || calls.count(name) != 0) continue;
            auto& known = by_width[width];
            if (known.count(name) == 0) {
                auto call = meaning_of(rules, meaning.otherwise, width);
                if (!call) return fail("has rules for " + name + " that are too complicated to compare");
                known.emplace(name, std::move(*call));
            }
            calls.emplace(name, known.at(name));
        }
    }
    return meaning;
}

Meaning meaning_of(std::span<const Recording> recordings) {
    Meaning meaning;
    meaning.otherwise = {Action::errno_, ENOSYS};
    for (const Recording& recording : recordings)
        for (const CallRecord& record : recording.calls) {
            std::string name = syscall_name(record.call);
            if (name.empty()) name = "number " + std::to_string(record.call.number);
            meaning.calls[record.call.abi].try_emplace(
                std::move(name), always({Action::allow, 0}, argument_width(record.call.abi)));
        }
    return meaning;
}

}  // namespace callcensus
