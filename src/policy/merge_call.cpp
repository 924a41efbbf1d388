#include "policy/merge_call.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>

#include "meaning/compiled_meaning.hpp"
#include "meaning/context_cells.hpp"

namespace callcensus {
namespace {

constexpr std::size_t max_boxes = 4096;
constexpr std::size_t max_rules_for_a_call = 512;

// Box by box, so that what is too much ends early: of two sets all boxes can meet.
std::optional<ArgumentSet> bounded_intersection(const ArgumentSet& a, const ArgumentSet& b) {
    ArgumentSet both;
    for (const ArgumentBox& box : a.boxes) {
        both = union_of(both, intersection({{box}}, b));
        if (both.boxes.size() > max_boxes) return std::nullopt;
    }
    return both;
}

bool too_many(const CallMeaning& meaning) {
    return std::any_of(meaning.parts.begin(), meaning.parts.end(),
                       [](const CallMeaning::Part& part) { return part.arguments.boxes.size() > max_boxes; });
}

// What is decided by `part` and, in the other meaning, by nothing that makes another decision of it.
std::optional<ArgumentSet> where_it_stays(const CallMeaning::Part& part, const CallMeaning& other,
                                          const Decision& decision,
                                          const std::function<Decision(const Decision&)>& with) {
    std::optional<ArgumentSet> rest = part.arguments;
    for (const CallMeaning::Part& its : other.parts)
        if (rest && with(its.decision) != decision) rest = difference(*rest, its.arguments);
    return rest;
}

std::optional<CallMeaning> combine(const CallMeaning& a, const CallMeaning& b, MergeKind kind,
                                   const Decision& denial) {
    CallMeaning result = always(combine(a.otherwise, b.otherwise, kind, denial), a.width);
    const auto add_rest = [&](const CallMeaning::Part& part, const CallMeaning& other, bool first) {
        const auto with = [&](const Decision& its) {
            return first ? combine(part.decision, its, kind, denial)
                         : combine(its, part.decision, kind, denial);
        };
        const Decision decision = with(other.otherwise);
        if (decision == result.otherwise) return true;
        const auto rest = where_it_stays(part, other, decision, with);
        if (rest) result.add(decision, *rest);
        return rest.has_value();
    };
    for (const CallMeaning::Part& one : a.parts) {
        for (const CallMeaning::Part& other : b.parts) {
            const Decision decision = combine(one.decision, other.decision, kind, denial);
            // Then it belongs to what remains of either part.
            if (decision == result.otherwise ||
                decision == combine(one.decision, b.otherwise, kind, denial) ||
                decision == combine(a.otherwise, other.decision, kind, denial))
                continue;
            const auto both = bounded_intersection(one.arguments, other.arguments);
            if (!both) return std::nullopt;
            result.add(decision, *both);
        }
        if (!add_rest(one, b, true)) return std::nullopt;
    }
    for (const CallMeaning::Part& other : b.parts)
        if (!add_rest(other, a, false)) return std::nullopt;
    if (too_many(result)) return std::nullopt;
    for (CallMeaning::Part& part : result.parts) part.arguments = simplified(part.arguments, result.width);
    return result;
}

bool means(const std::vector<Rule>& rules, const Decision& otherwise, const CallMeaning& meaning,
           ArgumentWidth width) {
    std::vector<const Rule*> pointers;
    for (const Rule& rule : rules) pointers.push_back(&rule);
    const auto read = meaning_of(pointers, otherwise, width);
    return read && same(*read, meaning);
}

// Rules for a call in a context, of which each part is said as one decision; empty where that cannot be said
// in rules that mean the same on ABIs of all the widths.
std::optional<std::vector<Rule>> rules_for(const std::map<ArgumentWidth, CallMeaning>& meanings,
                                           const Decision& otherwise, const CellContext& context) {
    const auto& [width, meaning] = *meanings.rbegin();
    const auto parts = meaning.parts_beside(otherwise);
    if (!parts) return std::nullopt;
    for (const bool only_masks : {false, true}) {
        std::vector<Rule> rules;
        std::vector<Conditions> all_conditions;
        for (const CallMeaning::Part& part : *parts) {
            for (Conditions& conditions :
                 conditions_of(part.arguments, width, only_masks, max_rules_for_a_call)) {
                all_conditions.push_back(conditions);
                rules.push_back(
                    rule_of(part.decision, std::move(conditions), context.includes, context.excludes));
            }
        }
        if (!compiles_as_read(all_conditions) || rules.size() > max_rules_for_a_call) continue;
        if (std::all_of(meanings.begin(), meanings.end(), [&](const auto& of_width) {
                return means(rules, otherwise, of_width.second, of_width.first);
            }))
            return rules;
    }
    return std::nullopt;
}

// Where inputs deny by default the first one's way is the result's.
void deny_as_the_first(CallMeaning& meaning, const Decision& default_of_its, const Decision& first) {
    if (lets_through(first.action) || lets_through(default_of_its.action)) return;
    if (meaning.otherwise != default_of_its) return;
    meaning.otherwise = first;
    std::erase_if(meaning.parts, [&](const CallMeaning::Part& part) { return part.decision == first; });
}

bool lets_any_through(const std::map<ArgumentWidth, CallMeaning>& meanings) {
    return std::any_of(meanings.begin(), meanings.end(),
                       [](const auto& of_width) { return !of_width.second.let_through().empty(); });
}

}  // namespace

bool say_the_same(const Rule& a, const Rule& b) {
    return decision_of(a) == decision_of(b) && a.args == b.args && a.includes == b.includes &&
           a.excludes == b.excludes;
}

bool say_the_same(const Voice& a, const Voice& b) {
    return a.otherwise == b.otherwise &&
           std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(),
                      [](const Rule* one, const Rule* other) { return say_the_same(*one, *other); });
}

Rule rule_of(const Decision& decision, Conditions conditions, Context includes, Context excludes) {
    Rule rule;
    rule.action = decision.action;
    if (decision.action == Action::errno_ || decision.action == Action::trace)
        rule.errno_ret = decision.value;
    rule.args = std::move(conditions);
    rule.includes = std::move(includes);
    rule.excludes = std::move(excludes);
    return rule;
}

Decision combine(const Decision& a, const Decision& b, MergeKind kind, const Decision& denial) {
    const bool a_lets = lets_through(a.action);
    const bool b_lets = lets_through(b.action);
    const bool both = a_lets && b_lets;
    const auto preferring = [&](Action action) { return a.action == action ? a : b; };
    switch (kind) {
        case MergeKind::unite:
            return both ? preferring(Action::allow) : b_lets ? b : a;
        case MergeKind::intersect:
            return both ? preferring(Action::log) : a_lets ? b : a;
        case MergeKind::subtract:
            return both ? denial : a;
    }
    return denial;
}

const Voice* CallMerger::deciding(const std::vector<Voice>& voices) const {
    if (voices.size() == 1) return &voices.front();
    const auto says_nothing = [](const Voice& voice) {
        return voice.rules.empty() && !lets_through(voice.otherwise.action);
    };
    if (kind_ == MergeKind::subtract)
        return std::all_of(voices.begin() + 1, voices.end(), says_nothing) ? &voices.front() : nullptr;
    if (kind_ != MergeKind::unite) return nullptr;
    const Voice* only = nullptr;
    for (const Voice& voice : voices) {
        if (lets_through(voice.otherwise.action)) return nullptr;
        if (voice.rules.empty()) continue;
        if (only != nullptr || !std::all_of(voice.rules.begin(), voice.rules.end(),
                                            [](const Rule* rule) { return lets_through(rule->action); }))
            return nullptr;
        only = &voice;
    }
    return only;
}

std::vector<Rule> CallMerger::rules(const std::string& name, const std::vector<Voice>& voices) {
    std::vector<const Rule*> all;
    for (const Voice& voice : voices) all.insert(all.end(), voice.rules.begin(), voice.rules.end());
    const auto cells = context_cells(all);
    if (cells.empty())
        return roughly(name, true, "its conditions on capabilities and architectures are too many", {}, {});
    std::vector<std::pair<Meanings, std::vector<ContextCell>>> groups;
    for (const ContextCell& cell : cells) {
        auto meanings = in_cell(voices, representative(cell));
        if (!meanings) return roughly(name, true, "its conditions on arguments are too many", {}, {});
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& it) {
            return std::all_of(it.first.begin(), it.first.end(), [&](const auto& of_width) {
                return same(of_width.second, meanings->at(of_width.first));
            });
        });
        if (group == groups.end())
            groups.push_back({std::move(*meanings), {cell}});
        else
            group->second.push_back(cell);
    }
    std::vector<Rule> rules;
    for (auto& [meanings, of_group] : groups)
        for (const ContextCell& cell : united(of_group)) {
            const CellContext context = context_of(cell, all);
            auto said = rules_for(meanings, otherwise_, context);
            if (!said)
                said = roughly(name, lets_any_through(meanings),
                               "no rules say its arguments exactly and are compiled rightly by libseccomp",
                               context.includes, context.excludes);
            std::move(said->begin(), said->end(), std::back_inserter(rules));
        }
    return rules;
}

bool CallMerger::means(const Voice& voice, const std::vector<Voice>& merged) const {
    std::vector<const Rule*> all = voice.rules;
    for (const Voice& other : merged) all.insert(all.end(), other.rules.begin(), other.rules.end());
    const auto cells = context_cells(all);
    if (cells.empty()) return false;
    return std::all_of(cells.begin(), cells.end(), [&](const ContextCell& cell) {
        const Machine machine = representative(cell);
        const auto said = in_cell({voice}, machine);
        const auto wanted = in_cell(merged, machine);
        if (!said || !wanted) return false;
        std::vector<const Rule*> applying;
        std::copy_if(
            voice.rules.begin(), voice.rules.end(), std::back_inserter(applying),
            [&](const Rule* rule) { return applies(*rule, machine) && decision_of(*rule) != otherwise_; });
        return std::all_of(said->begin(), said->end(), [&](const auto& of_width) {
            return same(of_width.second, wanted->at(of_width.first)) &&
                   libseccomp_takes(applying, otherwise_, of_width.first);
        });
    });
}

Rule CallMerger::as_good_as_can_be(const std::string& name) {
    const bool unite = kind_ == MergeKind::unite;
    warnings_.push_back(name + " is " + (unite ? "allowed" : "denied") +
                        " altogether: rules cannot tell it from the calls that it is another way to");
    // One that repeats the default would be dropped.
    if (unite)
        return rule_of({otherwise_.action == Action::allow ? Action::log : Action::allow, 0}, {}, {}, {});
    for (const Decision& decision :
         {denial_, Decision{Action::errno_, EPERM}, Decision{Action::errno_, ENOSYS}})
        if (decision != otherwise_) return rule_of(decision, {}, {}, {});
    return rule_of(denial_, {}, {}, {});
}

std::optional<CallMerger::Meanings> CallMerger::in_cell(const std::vector<Voice>& voices,
                                                        const Machine& machine) const {
    Meanings meanings;
    for (const ArgumentWidth width : widths_) {
        std::optional<CallMeaning> result;
        for (const Voice& voice : voices) {
            std::vector<const Rule*> applying;
            std::copy_if(voice.rules.begin(), voice.rules.end(), std::back_inserter(applying),
                         [&](const Rule* rule) { return applies(*rule, machine); });
            auto meaning = meaning_of(applying, voice.otherwise, width);
            if (meaning) deny_as_the_first(*meaning, voice.otherwise, voices.front().otherwise);
            if (meaning && result) meaning = combine(*result, *meaning, kind_, denial_);
            if (!meaning) return std::nullopt;
            result = std::move(meaning);
        }
        meanings.emplace(width, std::move(*result));
    }
    return meanings;
}

// Wider for a union, narrower otherwise, and whatever the arguments.
std::vector<Rule> CallMerger::roughly(const std::string& name, bool any_let_through, const std::string& why,
                                      Context includes, Context excludes) {
    const bool unite = kind_ == MergeKind::unite;
    warnings_.push_back(name +
                        (unite ? " is allowed more widely than by the inputs: "
                               : " is allowed more narrowly than by the inputs: ") +
                        why);
    const bool let = unite && any_let_through;
    if (let == lets_through(otherwise_.action)) return {};  // as good as the default
    return {
        rule_of(let ? Decision{Action::allow, 0} : denial_, {}, std::move(includes), std::move(excludes))};
}

}  // namespace callcensus
