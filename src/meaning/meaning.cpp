#include "callcensus/meaning.hpp"
#include "callcensus/abi.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <list>

#include "base/errno_names.hpp"
#include "meaning/compiled_meaning.hpp"
#include "meaning/loading.hpp"
#include "meaning/speaking_rules.hpp"

namespace callcensus {
namespace {

// What a profile says on that ABI about socketcall and ipc, where it speaks of what they do; by their names,
// in the order of the rules.
RulesByName multiplexer_rules(const Profile& profile, const Machine& machine, Abi abi,
                              std::list<Rule>& storage) {
    RulesByName multiplexers;
    for (const char* name : {"socketcall", "ipc"}) {
        if (!syscall_number(abi, name)) continue;
        for (SpeakingRule& one : speaking_rules(profile, machine, abi, name)) {
            storage.push_back(std::move(one.rule));
            multiplexers[name].push_back(&storage.back());
        }
    }
    return multiplexers;
}

// Asked box by box: of two sets all boxes can meet, and one is enough to know.
bool disjoint(const ArgumentSet& a, const ArgumentSet& b) {
    return std::all_of(a.boxes.begin(), a.boxes.end(),
                       [&](const ArgumentBox& box) { return intersection({{box}}, b).empty(); });
}

// The first rule without conditions decides, or else the first one whose conditions hold. None of them has
// the default's decision.
std::optional<CallMeaning> as_written(std::span<const Rule* const> rules, const Decision& otherwise,
                                      ArgumentWidth width) {
    for (const Rule* rule : rules)
        if (rule->args.empty()) return always(decision_of(*rule), width);
    CallMeaning meaning = always(otherwise, width);
    for (const Rule* rule : rules) {
        const Decision decision = decision_of(*rule);
        // What an earlier rule has decided otherwise is taken; what it has decided alike need not be cut off.
        std::optional<ArgumentSet> free = set_of(rule->args, width);
        for (const CallMeaning::Part& part : meaning.parts)
            if (free && part.decision != decision) free = difference(*free, part.arguments);
        if (!free) return std::nullopt;
        meaning.add(decision, *free);
    }
    // Conditions that always hold are none.
    if (meaning.parts.size() == 1 && covers(meaning.parts.front().arguments, all_arguments(width)))
        return always(meaning.parts.front().decision, width);
    return meaning;
}

template <class Predicate>
ArgumentRegion region(const CallMeaning& meaning, Predicate belongs) {
    ArgumentRegion region{{}, belongs(meaning.otherwise), meaning.width};
    for (const CallMeaning::Part& part : meaning.parts)
        if (belongs(part.decision) != region.all_others) region.set = union_of(region.set, part.arguments);
    return region;
}

}  // namespace

RulesByName rules_by_name(const Profile& profile, const Machine& machine) {
    RulesByName by_name;
    for (const Rule& rule : profile.rules) {
        if (!applies(rule, machine)) continue;
        for (const std::string& name : names_of(rule)) {
            auto& rules = by_name[name];
            if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
        }
    }
    return by_name;
}

bool ArgumentRegion::empty() const { return all_others ? covers(set, all_arguments(width)) : set.empty(); }

bool covers(const ArgumentRegion& whole, const ArgumentRegion& part) {
    if (!whole.all_others && !part.all_others) return covers(whole.set, part.set);
    if (whole.all_others && part.all_others) return covers(part.set, whole.set);
    if (whole.all_others) return disjoint(whole.set, part.set);
    return covers(union_of(whole.set, part.set), all_arguments(part.width));
}

Decision CallMeaning::decide(const Arguments& arguments) const {
    for (const Part& part : parts)
        if (part.arguments.contains(arguments)) return part.decision;
    return otherwise;
}

ArgumentRegion CallMeaning::let_through() const {
    return region(*this, [](const Decision& decision) { return lets_through(decision.action); });
}

ArgumentRegion CallMeaning::decided(const Decision& decision) const {
    return region(*this, [&](const Decision& other) { return other == decision; });
}

std::optional<std::vector<CallMeaning::Part>> CallMeaning::parts_beside(const Decision& by_default) const {
    std::vector<Part> beside;
    ArgumentSet all_parts;
    for (const Part& part : parts) {
        if (part.decision != by_default) beside.push_back(part);
        all_parts = union_of(all_parts, part.arguments);
    }
    if (otherwise == by_default) return beside;
    auto rest = difference(all_arguments(width), all_parts);
    if (!rest) return std::nullopt;
    if (!rest->empty()) beside.push_back({otherwise, std::move(*rest)});
    return beside;
}

void CallMeaning::add(const Decision& decision, const ArgumentSet& arguments) {
    if (decision == otherwise || arguments.empty()) return;
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Part& it) { return it.decision == decision; });
    if (part == parts.end())
        parts.push_back({decision, arguments});
    else
        part->arguments = union_of(part->arguments, arguments);
}

CallMeaning always(const Decision& decision, ArgumentWidth width) { return {{}, decision, width}; }

bool same(const CallMeaning& a, const CallMeaning& b) {
    // Both decide about everything: it is enough that each decision of the one is the other's.
    const auto agrees = [&](const Decision& decision) {
        return covers(b.decided(decision), a.decided(decision));
    };
    return agrees(a.otherwise) &&
           std::all_of(a.parts.begin(), a.parts.end(),
                       [&](const CallMeaning::Part& part) { return agrees(part.decision); });
}

std::optional<CallMeaning> meaning_of(std::span<const Rule* const> rules, const Decision& otherwise,
                                      ArgumentWidth width) {
    std::vector<const Rule*> counting;
    std::copy_if(rules.begin(), rules.end(), std::back_inserter(counting),
                 [&](const Rule* rule) { return decision_of(*rule) != otherwise; });
    if (is_in_doubt(counting, width)) {
        auto compiled = compiled_meaning(counting, otherwise, width);
        // Of rules that no runtime loads there is only what they say.
        if (compiled || libseccomp_takes(counting, otherwise, width)) return compiled;
    }
    return as_written(counting, otherwise, width);
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

std::vector<Rule> through_multiplexer(const Rule& rule, const Multiplexed& by) {
    std::vector<Rule> through;
    for (const Conditions& conditions : conditions_added(rule)) {
        Rule other = rule;
        other.args = conditions;
        std::erase_if(other.args, [](const ArgumentCondition& condition) { return condition.index == 0; });
        other.args.insert(other.args.begin(), {0, by.selector, 0, Comparison::eq});
        through.push_back(std::move(other));
    }
    return through;
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

std::string too_complicated(const std::string& call) {
    return "has rules for " + call +
           " that are too complicated: they contradict each other for too many arguments";
}

Result<Meaning> meaning_of(const Profile& profile, const Machine& machine) {
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    Meaning meaning;
    meaning.otherwise = default_decision(profile);
    const auto by_name = rules_by_name(profile, machine);
    std::map<ArgumentWidth, std::map<std::string, CallMeaning>> by_width;
    for (const Abi abi : abis_of(profile, *native)) {
        const ArgumentWidth width = argument_width(abi);
        auto& calls = meaning.calls[abi];
        std::list<Rule> through;
        const auto multiplexers = multiplexer_rules(profile, machine, abi, through);
        for (const auto& [name, rules] : multiplexers) {
            auto call = meaning_of(rules, meaning.otherwise, width);
            if (!call) return fail(too_complicated(name));
            calls.emplace(name, std::move(*call));
        }
        for (const auto& [name, rules] : by_name) {
            if (!syscall_number(abi, name) || calls.count(name) != 0) continue;
            auto& known = by_width[width];
            if (known.count(name) == 0) {
                auto call = meaning_of(rules, meaning.otherwise, width);
                if (!call) return fail(too_complicated(name));
                known.emplace(name, std::move(*call));
            }
            calls.emplace(name, known.at(name));
        }
    }
    for (const Abi abi : abis_never_looked_at(profile, machine, *native))
        for (auto& [name, call] : meaning.calls[abi])
            if (libseccomp_knows(name)) call = always(meaning.otherwise, call.width);
    return meaning;
}

Meaning meaning_of(std::span<const Recording> recordings) {
    Meaning meaning;
    meaning.otherwise = {Action::errno_, ENOSYS};
    for (const Recording& recording : recordings)
        for (const CallRecord& record : recording.calls)
            meaning.calls[record.call.abi].try_emplace(
                name_or_number(record.call), always({Action::allow, 0}, argument_width(record.call.abi)));
    return meaning;
}

}  // namespace callcensus
