#include "callcensus/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include "callcensus/describe.hpp"
#include "callcensus/families.hpp"
#include "meaning/context_cells.hpp"
#include "meaning/speaking_rules.hpp"
#include "model/uses.hpp"

namespace callcensus {
namespace {

std::string text_of(const ContextCell& cell, std::span<const Rule* const> rules) {
    const CellContext context = context_of(cell, rules);
    return describe(context.includes, context.excludes);
}

const std::vector<Recording>* recordings_of(const Comparable& input) {
    return std::get_if<std::vector<Recording>>(&input);
}

Result<Meaning> meaning_of(const Comparable& input, const Machine& machine, const std::string& name) {
    if (const auto* recordings = recordings_of(input)) return callcensus::meaning_of(*recordings);
    return callcensus::meaning_of(std::get<Profile>(input), machine).map_error([&](Error error) {
        error.where = name;
        return error;
    });
}

Uses uses_of(const Comparable& input, const std::vector<Abi>& abis, const std::string& call) {
    Uses uses;
    const auto* recordings = recordings_of(input);
    if (recordings == nullptr) return uses;
    for (const Recording& recording : *recordings)
        for (const CallRecord& record : recording.calls)
            if (std::find(abis.begin(), abis.end(), record.call.abi) != abis.end() &&
                name_or_number(record.call) == call)
                uses.add(recording, record);
    return uses;
}

std::optional<ChangeKind> kind_of(const CallMeaning& before, const CallMeaning& after) {
    const ArgumentRegion let_before = before.let_through();
    const ArgumentRegion let_after = after.let_through();
    const bool more = !covers(let_before, let_after);
    const bool fewer = !covers(let_after, let_before);
    if (more && let_before.empty()) return ChangeKind::allowed;
    if (fewer && let_after.empty()) return ChangeKind::denied;
    if (more && fewer) return ChangeKind::altered;
    if (more) return ChangeKind::loosened;
    if (fewer) return ChangeKind::tightened;
    if (same(before, after)) return std::nullopt;
    return ChangeKind::redecided;
}

// The call that was let through before, with a family that leads from it to the new one.
void find_same_job(CallChange& change, const Meaning& before) {
    if (change.kind != ChangeKind::allowed) return;
    const auto was_let_through = [&](std::string_view name) {
        return std::any_of(change.abis.begin(), change.abis.end(), [&](Abi abi) {
            const auto calls = before.calls.find(abi);
            if (calls == before.calls.end()) return false;
            const auto found = calls->second.find(std::string(name));
            return found != calls->second.end() && !found->second.let_through().empty();
        });
    };
    for (const Family& family : all_families()) {
        if (std::find(family.siblings.begin(), family.siblings.end(), change.call) == family.siblings.end())
            continue;
        const auto known = std::find_if(family.names.begin(), family.names.end(), was_let_through);
        if (known == family.names.end() || *known == change.call) continue;
        change.same_job_as = std::string(*known);
        change.same_job_reason = std::string(family.reason);
        return;
    }
}

// The changes on ABIs that both have, and of recordings on any.
class ProfileComparison {
  public:
    ProfileComparison(const Meaning& before, const Meaning& after, std::set<Abi> abis)
        : before_(before), after_(after), abis_(std::move(abis)) {}

    [[nodiscard]] std::vector<CallChange> changes() const {
        using Key = std::tuple<std::string, ChangeKind, std::string, std::string>;
        std::map<Key, CallChange> changes;
        for (const Abi abi : abis_)
            for (const std::string& call : names(abi)) {
                const CallMeaning before = meaning(before_, abi, call);
                const CallMeaning after = meaning(after_, abi, call);
                const auto kind = kind_of(before, after);
                if (!kind || follows_the_default(before, after)) continue;
                CallChange change;
                change.kind = *kind;
                change.call = call;
                change.before = describe(before);
                change.after = describe(after);
                change.risk = risk_of(call);
                const Key key{call, *kind, change.before, change.after};
                changes.try_emplace(key, std::move(change)).first->second.abis.push_back(abi);
            }
        std::vector<CallChange> list;
        for (auto& [key, change] : changes) {
            find_same_job(change, before_);
            list.push_back(std::move(change));
        }
        return list;
    }

  private:
    static CallMeaning meaning(const Meaning& of, Abi abi, const std::string& call) {
        if (const auto calls = of.calls.find(abi); calls != of.calls.end())
            if (const auto found = calls->second.find(call); found != calls->second.end())
                return found->second;
        return always(of.otherwise, argument_width(abi));
    }
    [[nodiscard]] std::set<std::string> names(Abi abi) const {
        std::set<std::string> names;
        for (const Meaning* of : {&before_, &after_})
            if (const auto calls = of->calls.find(abi); calls != of->calls.end())
                for (const auto& [name, meaning] : calls->second) names.insert(name);
        return names;
    }
    // That the default has changed is said once: is that all that has happened to the call?
    [[nodiscard]] bool follows_the_default(const CallMeaning& before, const CallMeaning& after) const {
        if (before_.otherwise == after_.otherwise || before.otherwise != before_.otherwise) return false;
        CallMeaning meaning = before;
        meaning.otherwise = after_.otherwise;
        std::erase_if(meaning.parts,
                      [&](const CallMeaning::Part& part) { return part.decision == meaning.otherwise; });
        return same(meaning, after);
    }

    const Meaning& before_;
    const Meaning& after_;
    std::set<Abi> abis_;
};

std::set<Abi> abis_in(const Meaning& meaning) {
    std::set<Abi> abis;
    for (const auto& [abi, calls] : meaning.calls) abis.insert(abi);
    return abis;
}

// The rules that both have for a call, on ABIs where they are the same.
struct RulesOfBoth {
    std::set<Abi> abis;
    std::vector<Rule> before;
    std::vector<Rule> after;
};

std::vector<Rule> rules_for(const Profile& profile, Abi abi, const std::string& name) {
    std::vector<Rule> rules;
    for (SpeakingRule& one : speaking_rules(profile, abi, name)) rules.push_back(std::move(one.rule));
    return rules;
}

// Where what multiplexes others is concerned their rules count as well, on ABIs that have it.
std::vector<RulesOfBoth> rules_of_both(const Profile& before, const Profile& after, const std::string& name,
                                       const std::set<Abi>& abis) {
    std::vector<RulesOfBoth> all;
    for (const Abi abi : abis) {
        if (!syscall_number(abi, name)) continue;
        if (!all.empty() && !is_multiplexer(name)) {
            all.front().abis.insert(abi);
            continue;
        }
        all.push_back({{abi}, rules_for(before, abi, name), rules_for(after, abi, name)});
    }
    return all;
}

std::vector<const Rule*> applying(const std::vector<Rule>& rules, const Machine& machine) {
    std::vector<const Rule*> some;
    for (const Rule& rule : rules)
        if (applies(rule, machine)) some.push_back(&rule);
    return some;
}

std::set<std::string> calls_spoken_of(const Profile& profile, const std::set<Abi>& abis) {
    std::set<std::string> calls;
    for (const Rule& rule : profile.rules)
        for (const std::string& name : names_of(rule)) {
            if (!calls.insert(name).second) continue;
            for (const Abi abi : abis)
                if (const auto by = multiplexed(abi, name)) calls.emplace(by->call);
        }
    return calls;
}

// In every situation that the rules of a call tell apart.
Result<std::vector<CallChange>> changes_as_conditions(const Profile& before, const Profile& after,
                                                      const std::set<Abi>& abis, const DiffOptions& options) {
    std::set<std::string> names = calls_spoken_of(before, abis);
    names.merge(calls_spoken_of(after, abis));
    std::vector<CallChange> all;
    for (const std::string& name : names)
        for (const RulesOfBoth& rules : rules_of_both(before, after, name, abis)) {
            std::vector<const Rule*> both;
            for (const auto* side : {&rules.before, &rules.after})
                for (const Rule& rule : *side) both.push_back(&rule);
            const auto cells = context_cells(both);
            if (cells.empty())
                return fail("have too many conditions on capabilities, architectures and kernels for " +
                                name + "; compare them for one machine instead",
                            options.name_before + " and " + options.name_after);
            std::vector<std::pair<CallChange, std::vector<ContextCell>>> groups;
            for (const ContextCell& cell : cells) {
                const Machine machine = representative(cell);
                const auto meaning = [&](const Profile& profile, const std::vector<Rule>& of_profile,
                                         const std::string& where) -> Result<Meaning> {
                    Meaning result;
                    result.otherwise = default_decision(profile);
                    for (const Abi abi : rules.abis) {
                        auto call = callcensus::meaning_of(applying(of_profile, machine), result.otherwise,
                                                           argument_width(abi));
                        if (!call) return fail(too_complicated(name), where);
                        result.calls[abi].emplace(name, std::move(*call));
                    }
                    return result;
                };
                const auto was = meaning(before, rules.before, options.name_before);
                const auto is = meaning(after, rules.after, options.name_after);
                if (!was || !is) return tl::unexpected((was ? is : was).error());
                for (CallChange& change : ProfileComparison(*was, *is, rules.abis).changes()) {
                    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& it) {
                        return it.first.kind == change.kind && it.first.before == change.before &&
                               it.first.after == change.after && it.first.abis == change.abis;
                    });
                    if (group == groups.end())
                        groups.push_back({std::move(change), {cell}});
                    else
                        group->second.push_back(cell);
                }
            }
            for (const auto& [change, of_group] : groups)
                for (const ContextCell& cell : united(of_group)) {
                    all.push_back(change);
                    all.back().context = text_of(cell, both);
                }
        }
    return all;
}

std::set<Abi> all_abis_of(const Profile& profile, Abi native) {
    std::set<Abi> abis = abis_of(profile, native);
    for (const ArchitectureFamily& family : profile.arch_map)
        if (const AbiInfo* row = find_abi_by_token(family.architecture))
            abis.merge(abis_of(profile, row->abi));
    return abis;
}

// Those that any of the rules lets through, and any of the ABIs has.
template <class Predicate>
std::vector<std::string> risky_calls(const Profile& profile, const std::vector<Abi>& abis, Predicate counts) {
    std::set<std::string> names;
    for (const Rule& rule : profile.rules) {
        if (!lets_through(rule.action) || !counts(rule)) continue;
        for (const std::string& name : names_of(rule)) {
            const bool exists = std::any_of(abis.begin(), abis.end(),
                                            [&](Abi abi) { return syscall_number(abi, name).has_value(); });
            if (exists && is_risky(risk_of(name))) names.insert(name);
        }
    }
    return {names.begin(), names.end()};
}

std::string in_a_recording(bool has_the_call) { return has_the_call ? "called" : "not called"; }

std::string flags_of(const Profile& profile) {
    const std::set<std::string> flags(profile.flags.begin(), profile.flags.end());
    std::string text;
    for (const std::string& flag : flags) text += (text.empty() ? "" : " ") + flag;
    return text;
}

}  // namespace

std::string_view id(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::allowed:
            return "allowed";
        case ChangeKind::denied:
            return "denied";
        case ChangeKind::loosened:
            return "loosened";
        case ChangeKind::tightened:
            return "tightened";
        case ChangeKind::altered:
            return "altered";
        case ChangeKind::redecided:
            return "redecided";
    }
    return {};
}

bool gains(const CallChange& change) {
    return change.kind == ChangeKind::allowed || change.kind == ChangeKind::loosened ||
           change.kind == ChangeKind::altered;
}

bool losses(const CallChange& change) {
    return change.kind == ChangeKind::denied || change.kind == ChangeKind::tightened ||
           change.kind == ChangeKind::altered;
}

bool gains(const Difference& difference) {
    const auto& calls = difference.calls;
    return !difference.abis_added.empty() ||
           (difference.otherwise && lets_through(difference.otherwise->second.action) &&
            !lets_through(difference.otherwise->first.action)) ||
           std::any_of(calls.begin(), calls.end(), [](const CallChange& change) { return gains(change); });
}

bool losses(const Difference& difference) {
    const auto& calls = difference.calls;
    return !difference.abis_removed.empty() ||
           (difference.otherwise && lets_through(difference.otherwise->first.action) &&
            !lets_through(difference.otherwise->second.action)) ||
           std::any_of(calls.begin(), calls.end(), [](const CallChange& change) { return losses(change); });
}

bool risky_gains(const Difference& difference) {
    // A default that lets everything through lets risky calls through.
    return !difference.risky_on_added.empty() ||
           (difference.otherwise && lets_through(difference.otherwise->second.action) &&
            !lets_through(difference.otherwise->first.action)) ||
           std::any_of(difference.calls.begin(), difference.calls.end(),
                       [](const CallChange& change) { return gains(change) && is_risky(change.risk); });
}

Result<Difference> diff(const Comparable& before, const Comparable& after, const DiffOptions& options) {
    Difference difference;
    const auto* old_profile = std::get_if<Profile>(&before);
    const auto* new_profile = std::get_if<Profile>(&after);
    difference.of_recordings = old_profile == nullptr && new_profile == nullptr;
    const auto native = native_abi_of(options.machine);
    if (!native) return tl::unexpected(native.error());

    std::set<Abi> common;
    if (old_profile != nullptr && new_profile != nullptr) {
        // A map has its own row for each machine: beside one, a list counts as far as it is for this machine.
        const bool for_this_machine =
            !options.as_conditions && !(old_profile->arch_map.empty() && new_profile->arch_map.empty());
        const auto abis = [&](const Profile& profile) {
            std::set<Abi> all =
                options.as_conditions ? all_abis_of(profile, *native) : abis_of(profile, *native);
            if (for_this_machine) std::erase_if(all, [&](Abi abi) { return info(abi).native != *native; });
            return all;
        };
        const std::set<Abi> old_abis = abis(*old_profile);
        const std::set<Abi> new_abis = abis(*new_profile);
        std::set_difference(new_abis.begin(), new_abis.end(), old_abis.begin(), old_abis.end(),
                            std::back_inserter(difference.abis_added));
        std::set_difference(old_abis.begin(), old_abis.end(), new_abis.begin(), new_abis.end(),
                            std::back_inserter(difference.abis_removed));
        std::set_intersection(old_abis.begin(), old_abis.end(), new_abis.begin(), new_abis.end(),
                              std::inserter(common, common.end()));
        const Decision was = default_decision(*old_profile);
        const Decision is = default_decision(*new_profile);
        if (was != is) difference.otherwise = {was, is};
        difference.risky_on_added = risky_calls(*new_profile, difference.abis_added, [&](const Rule& rule) {
            return options.as_conditions || applies(rule, options.machine);
        });
        const std::string old_flags = flags_of(*old_profile);
        const std::string new_flags = flags_of(*new_profile);
        if (old_flags != new_flags) difference.flags = {old_flags, new_flags};
    }
    if (options.as_conditions && old_profile != nullptr && new_profile != nullptr) {
        auto changes = changes_as_conditions(*old_profile, *new_profile, common, options);
        if (!changes) return tl::unexpected(changes.error());
        difference.calls = std::move(*changes);
    } else {
        auto was = meaning_of(before, options.machine, options.name_before);
        auto is = meaning_of(after, options.machine, options.name_after);
        if (!was || !is) return tl::unexpected((was ? is : was).error());
        const bool of_profiles = old_profile != nullptr && new_profile != nullptr;
        if (!of_profiles) {
            common = abis_in(*was);
            common.merge(abis_in(*is));
            // What was not recorded is simply not there; how a profile denies it does not matter.
            if (old_profile == nullptr && !lets_through(is->otherwise.action)) was->otherwise = is->otherwise;
            if (new_profile == nullptr && !lets_through(was->otherwise.action))
                is->otherwise = was->otherwise;
            if (was->otherwise != is->otherwise) difference.otherwise = {was->otherwise, is->otherwise};
        }
        difference.calls = ProfileComparison(*was, *is, common).changes();
        if (!of_profiles)
            std::erase_if(difference.calls,
                          [](const CallChange& change) { return change.kind == ChangeKind::redecided; });
    }
    for (CallChange& change : difference.calls) {
        if (old_profile == nullptr) change.before = in_a_recording(losses(change));
        if (new_profile == nullptr) change.after = in_a_recording(gains(change));
    }
    for (CallChange& change : difference.calls) {
        const Uses uses =
            uses_of(losses(change) && !gains(change) ? before : after, change.abis, change.call);
        change.uses = uses.list();
        change.sites = uses.sites();
    }
    std::stable_sort(difference.calls.begin(), difference.calls.end(),
                     [](const CallChange& a, const CallChange& b) {
                         return std::tuple(!gains(a), a.kind, b.risk.cls, a.call) <
                                std::tuple(!gains(b), b.kind, a.risk.cls, b.call);
                     });
    return difference;
}

}  // namespace callcensus
