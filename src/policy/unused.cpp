#include "callcensus/unused.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "callcensus/meaning.hpp"
#include "meaning/speaking_rules.hpp"

namespace callcensus {
namespace {

enum class Usage : std::uint8_t { none, perhaps, certain };

// Whether a call that the rule speaks of was made with arguments for which it is.
Usage usage_of(const Rule& rule, const Used& made) {
    if (rule.args.empty()) return Usage::certain;
    if (!made.arguments) return Usage::perhaps;
    const ArgumentWidth width = argument_width(made.call.abi);
    const ArgumentSet wanted = set_of(rule.args, width);
    const bool held = std::any_of(made.arguments->begin(), made.arguments->end(), [&](Arguments arguments) {
        for (std::uint64_t& argument : arguments) argument &= largest_argument(width);
        return wanted.contains(arguments);
    });
    return held ? Usage::certain : Usage::none;
}

using UsedByName = std::map<std::string, std::vector<const Used*>>;

Usage usage_of(const Rule& rule, const std::string& name, const UsedByName& used) {
    Usage usage = Usage::none;
    if (const auto itself = used.find(name); itself != used.end())
        for (const Used* made : itself->second) usage = std::max(usage, usage_of(rule, *made));
    for (const auto& [multiplexer, calls] : used) {
        if (!is_multiplexer(multiplexer)) continue;
        for (const Used* made : calls)
            if (const auto by = multiplexed(made->call.abi, name); by && by->call == multiplexer)
                for (const Rule& through : through_multiplexer(rule, *by))
                    usage = std::max(usage, usage_of(through, *made));
    }
    return usage;
}

}  // namespace

std::vector<UnusedAllowance> unused(const Profile& profile, const Machine& machine,
                                    std::span<const Used> used) {
    const auto native = native_abi_of(machine);
    const std::set<Abi> abis = abis_of(profile, native ? *native : native_abi());
    UsedByName by_name;
    for (const Used& made : used)
        if (abis.count(made.call.abi) != 0) by_name[syscall_name(made.call)].push_back(&made);

    std::vector<UnusedAllowance> all;
    for (std::size_t i = 0; i < profile.rules.size(); ++i) {
        const Rule& rule = profile.rules[i];
        if (!lets_through(rule.action) || !applies(rule, machine) ||
            decision_of(rule) == default_decision(profile))
            continue;
        UnusedAllowance certainly{i, {}, false, false};
        UnusedAllowance perhaps{i, {}, false, true};
        std::size_t existing = 0;
        std::set<std::string> seen;
        for (const std::string& name : names_of(rule)) {
            if (!seen.insert(name).second || !can_be_made_on_any(abis, name)) continue;
            ++existing;
            const Usage usage = usage_of(rule, name, by_name);
            if (usage == Usage::none) certainly.names.push_back(name);
            if (usage == Usage::perhaps) perhaps.names.push_back(name);
        }
        for (UnusedAllowance* one : {&certainly, &perhaps}) {
            one->whole_rule = one->names.size() == existing;
            if (!one->names.empty()) all.push_back(std::move(*one));
        }
    }
    return all;
}

}  // namespace callcensus
