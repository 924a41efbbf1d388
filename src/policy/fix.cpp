#include "callcensus/fix.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "callcensus/describe.hpp"
#include "callcensus/meaning.hpp"
#include "meaning/compiled_meaning.hpp"
#include "meaning/speaking_rules.hpp"
#include "policy/comments.hpp"

namespace callcensus {
namespace {

// Of what remains of a rule that denies; more would not be read by anyone.
constexpr std::size_t max_rules_for_a_rest = 16;

const Decision allowed{Action::allow, 0};

// Where these arguments are equal to those of a call.
Conditions equal_to(const Arguments& arguments, const std::set<std::uint32_t>& indexes, ArgumentWidth width) {
    Conditions conditions;
    for (const std::uint32_t index : indexes)
        conditions.push_back({index, arguments.at(index) & largest_argument(width), 0, Comparison::eq});
    return conditions;
}

void add_indexes(std::set<std::uint32_t>& indexes, const Conditions& conditions) {
    for (const ArgumentCondition& condition : conditions)
        if (condition.index < argument_count) indexes.insert(condition.index);
}

bool holds(const Rule& rule, const Arguments& arguments, ArgumentWidth width) {
    Arguments seen = arguments;
    for (std::uint64_t& argument : seen) argument &= largest_argument(width);
    return set_of(rule.args, width).contains(seen);
}

// Null where the default decides.
const SpeakingRule* deciding(const std::vector<SpeakingRule>& rules, const Arguments& arguments,
                             ArgumentWidth width) {
    const auto unconditional =
        std::find_if(rules.begin(), rules.end(), [](const auto& it) { return it.rule.args.empty(); });
    if (unconditional != rules.end()) return &*unconditional;
    const auto first = std::find_if(rules.begin(), rules.end(),
                                    [&](const auto& it) { return holds(it.rule, arguments, width); });
    return first == rules.end() ? nullptr : &*first;
}

std::vector<const Rule*> pointers_to(const std::vector<SpeakingRule>& rules) {
    std::vector<const Rule*> pointers;
    for (const SpeakingRule& one : rules) pointers.push_back(&one.rule);
    return pointers;
}

Decision decision_by(const CallMeaning& meaning, Arguments arguments) {
    for (std::uint64_t& argument : arguments) argument &= largest_argument(meaning.width);
    return meaning.decide(arguments);
}

class Fixer {
  public:
    Fixer(Profile profile, const Machine& machine, Abi native)
        : profile_(std::move(profile)), machine_(machine), native_(native) {
        for (std::size_t i = 0; i < profile_.rules.size(); ++i) origins_.push_back({i, false, false, {}});
    }

    /// Whether calls of that ABI can be let through now.
    bool cover(Abi abi, std::vector<std::string>& changes) {
        if (abis_of(profile_, native_).count(abi) != 0) return true;
        if (!profile_.arch_map.empty()) {
            // Only the machine's own row counts.
            if (info(abi).native != native_) return false;
            add_to_families(profile_.arch_map, abi);
        } else {
            auto& tokens = profile_.architectures;
            // An empty list means the native one; beside another it should say so.
            if (tokens.empty()) tokens.emplace_back(info(native_).token);
            tokens.emplace_back(info(abi).token);
        }
        changes.push_back("add the architecture " + std::string(info(abi).token));
        return true;
    }

    void let_through(const Need& need, std::vector<std::string>& changes) {
        const std::string name = syscall_name(need.call);
        while (true) {
            const auto rules = speaking_rules(profile_, machine_, need.call.abi, name);
            const SpeakingRule* in_the_way = nullptr;
            if (is_let_through(need, rules, in_the_way)) return;
            // These decide wherever they stand, so that nothing else matters before they are gone.
            if (remove_from_unconditional_denials(name, changes)) continue;
            // Beside one that denies the same libseccomp may refuse one that allows, or choose the other.
            const auto denial = std::find_if(rules.begin(), rules.end(), [&](const SpeakingRule& one) {
                return need.arguments && !lets_through(one.rule.action) &&
                       holds(one.rule, *need.arguments, argument_width(need.call.abi));
            });
            if (denial != rules.end() && is_compiled_wrong(need, rules, indexes_looked_at(name, rules))) {
                loosen(*denial, need, name, changes);
                continue;
            }
            if (default_decision(profile_) != allowed) {
                allow(need, name, rules, changes);
                return;
            }
            // A rule that allows would repeat the default and be dropped: those that deny have to give way.
            loosen(*in_the_way, need, name, changes);
        }
    }

    Profile take() && {
        for (std::size_t i = 0; i < origins_.size(); ++i)
            if (origins_[i].added) profile_.rules[i].comment = origins_[i].reasons.text();
        return std::move(profile_);
    }

  private:
    // Of a rule; in step with those of the profile.
    struct Origin {
        std::size_t index;  // in the profile as it was, unless the rule is new
        bool added;
        bool before_others;  // it stands before rules that deny, for it would not count after them
        Comments reasons;    // for an added one
    };

    // If not, a rule that is in the way, or null where it is the default.
    [[nodiscard]] bool is_let_through(const Need& need, const std::vector<SpeakingRule>& rules,
                                      const SpeakingRule*& in_the_way) const {
        const ArgumentWidth width = argument_width(need.call.abi);
        const Decision otherwise = default_decision(profile_);
        if (need.arguments) {
            in_the_way = deciding(rules, *need.arguments, width);
            const Decision decision = in_the_way == nullptr ? otherwise : decision_of(in_the_way->rule);
            const auto meaning = meaning_of(pointers_to(rules), otherwise, width);
            return lets_through(meaning ? decision_by(*meaning, *need.arguments).action : decision.action);
        }
        const auto denial = std::find_if(
            rules.begin(), rules.end(), [](const SpeakingRule& it) { return !lets_through(it.rule.action); });
        in_the_way = denial == rules.end() ? nullptr : &*denial;
        if (in_the_way == nullptr && lets_through(otherwise.action)) return true;
        const auto meaning = meaning_of(pointers_to(rules), otherwise, width);
        // Rules too complicated to be worked out: at worst something is allowed that was so already.
        return meaning && covers(meaning->let_through(), ArgumentRegion{{}, true, width});
    }

    // A rule that denies nothing but what is to be allowed would be void, and libseccomp refuses two
    // decisions about the same.
    [[nodiscard]] bool makes_way(const SpeakingRule& one, const Conditions& allowed_now) const {
        return one.own && !lets_through(one.rule.action) && is_covered(one.rule.args, allowed_now);
    }

    // Whether libseccomp makes something else of the rules than what they and the new one let through.
    [[nodiscard]] bool is_compiled_wrong(const Need& need, const std::vector<SpeakingRule>& rules,
                                         const std::set<std::uint32_t>& indexes) const {
        const ArgumentWidth width = argument_width(need.call.abi);
        const Decision otherwise = default_decision(profile_);
        Rule added;
        added.args = equal_to(*need.arguments, indexes, width);
        std::vector<const Rule*> all;
        for (const SpeakingRule& one : rules)
            if (!makes_way(one, added.args)) all.push_back(&one.rule);
        const auto before = meaning_of(all, otherwise, width);
        all.insert(all.begin(), &added);
        const auto after = compiled_meaning(all, otherwise, width);
        if (!before) return false;
        if (!after) return true;
        const ArgumentRegion let = before->let_through();
        ArgumentRegion wanted{union_of(let.set, set_of(added.args, width)), false, width};
        if (let.all_others) {
            const auto still_denied = difference(let.set, set_of(added.args, width));
            if (!still_denied) return false;
            wanted = {*still_denied, true, width};
        }
        return !covers(after->let_through(), wanted) || !covers(wanted, after->let_through());
    }

    // Those after an unconditional rule that lets through say nothing. Those that repeat the default are
    // removed as well: beside a rule that allows they would only mislead.
    bool remove_from_unconditional_denials(const std::string& name, std::vector<std::string>& changes) {
        std::vector<std::size_t> denials;
        for (std::size_t i = 0; i < profile_.rules.size(); ++i) {
            const Rule& rule = profile_.rules[i];
            if (!rule.args.empty() || !applies(rule, machine_) || !rule.speaks_of(name)) continue;
            if (!lets_through(rule.action))
                denials.push_back(i);
            else if (decision_of(rule) != default_decision(profile_))
                break;
        }
        std::for_each(denials.rbegin(), denials.rend(), [&](std::size_t at) { remove(name, at, changes); });
        return !denials.empty();
    }

    [[nodiscard]] static std::set<std::uint32_t> indexes_looked_at(const std::string& name,
                                                                   const std::vector<SpeakingRule>& rules) {
        std::set<std::uint32_t> indexes;
        if (is_multiplexer(name)) indexes.insert(0);  // which says what is meant: all is never narrow
        for (const SpeakingRule& one : rules) add_indexes(indexes, one.rule.args);
        return indexes;
    }

    void allow(const Need& need, const std::string& name, const std::vector<SpeakingRule>& rules,
               std::vector<std::string>& changes) {
        const ArgumentWidth width = argument_width(need.call.abi);
        const std::set<std::uint32_t> indexes = indexes_looked_at(name, rules);
        if (!need.arguments || indexes.empty() || is_compiled_wrong(need, rules, indexes)) {
            add(name, {}, false, need.reason);
            changes.push_back("add \"" + name + "\" to a rule that allows it");
            return;
        }
        const Conditions conditions = equal_to(*need.arguments, indexes, width);
        bool denied_first = false;
        for (auto one = rules.rbegin(); one != rules.rend(); ++one) {
            if (!one->own || lets_through(one->rule.action)) continue;
            if (makes_way(*one, conditions))
                remove(name, one->index, changes);
            else
                denied_first = denied_first || holds(one->rule, *need.arguments, width);
        }
        add(name, conditions, denied_first, need.reason);
        changes.push_back("allow " + name + " where " + describe(std::span(&conditions, 1)) +
                          (denied_first ? ", before the rules that deny it" : ""));
    }

    // A rule of the profile that denies no longer denies what is needed.
    void loosen(const SpeakingRule& denial, const Need& need, const std::string& name,
                std::vector<std::string>& changes) {
        const std::size_t at = denial.index;
        if (!denial.own) {
            const auto names = names_of(profile_.rules[at]);
            for (const std::string& other : std::set<std::string>(names.begin(), names.end())) {
                const auto by = multiplexed(need.call.abi, other);
                if (!by || by->call != name) continue;
                const auto through = through_multiplexer(profile_.rules[at], *by);
                if (!need.arguments || std::any_of(through.begin(), through.end(), [&](const Rule& rule) {
                        return holds(rule, *need.arguments, argument_width(need.call.abi));
                    }))
                    remove(other, at, changes);
            }
            return;
        }
        std::vector<Conditions> rest;
        if (need.arguments) rest = what_else_is_denied(denial, need, name);
        if (rest.empty()) {
            remove(name, at, changes);
            return;
        }
        changes.push_back("deny " + name + " in syscalls[" + std::to_string(origins_[at].index) +
                          "] only where " + describe(rest));
        const auto place = static_cast<std::ptrdiff_t>(at) + 1;
        for (auto conditions = rest.rbegin(); conditions != rest.rend(); ++conditions) {
            Rule rule = profile_.rules[at];
            rule.names = {name};
            rule.name.clear();
            rule.args = std::move(*conditions);
            profile_.rules.insert(profile_.rules.begin() + place, std::move(rule));
            origins_.insert(origins_.begin() + place, origins_[at]);
        }
        std::vector<std::string> told_already;
        remove(name, at, told_already);
    }

    // Empty where it is nothing, or cannot be said in a few rules that libseccomp compiles as they read.
    [[nodiscard]] std::vector<Conditions> what_else_is_denied(const SpeakingRule& denial, const Need& need,
                                                              const std::string& name) const {
        std::set<std::uint32_t> indexes;
        add_indexes(indexes, denial.rule.args);
        const Conditions needed = equal_to(*need.arguments, indexes, argument_width(need.call.abi));
        const auto rest_for = [&](ArgumentWidth width) {
            return difference(set_of(denial.rule.args, width), set_of(needed, width));
        };
        std::vector<Conditions> others;
        for (const SpeakingRule& one : speaking_rules(profile_, machine_, need.call.abi, name))
            if (one.index != denial.index) others.push_back(one.rule.args);
        const std::set<ArgumentWidth> all_widths = widths();
        const ArgumentWidth widest = *all_widths.rbegin();
        const auto rest = rest_for(widest);
        if (!rest) return {};
        for (const bool only_masks : {false, true}) {
            auto said = conditions_of(*rest, widest, only_masks, max_rules_for_a_rest);
            if (said.size() > max_rules_for_a_rest) continue;
            std::vector<Conditions> together = others;
            together.insert(together.end(), said.begin(), said.end());
            const auto says_it = [&](ArgumentWidth width) {
                ArgumentSet set;
                for (const Conditions& conditions : said) set = union_of(set, set_of(conditions, width));
                const auto wanted = rest_for(width);
                return wanted && covers(set, *wanted) && covers(*wanted, set);
            };
            if (compiles_as_read(together) && std::all_of(all_widths.begin(), all_widths.end(), says_it))
                return said;
        }
        return {};
    }

    [[nodiscard]] std::set<ArgumentWidth> widths() const {
        std::set<ArgumentWidth> widths;
        for (const Abi abi : abis_of(profile_, native_)) widths.insert(argument_width(abi));
        return widths;
    }

    // On all ABIs.
    [[nodiscard]] bool is_covered(const Conditions& part, const Conditions& whole) const {
        const auto of_widths = widths();
        return std::all_of(of_widths.begin(), of_widths.end(), [&](ArgumentWidth width) {
            return covers(set_of(whole, width), set_of(part, width));
        });
    }

    // To the new rule with these conditions.
    void add(const std::string& name, const Conditions& conditions, bool before_others,
             const std::string& reason) {
        std::size_t at = 0;
        while (at < origins_.size() && !(origins_[at].added && origins_[at].before_others == before_others &&
                                         profile_.rules[at].args == conditions))
            ++at;
        if (at == origins_.size()) {
            at = before_others ? 0 : at;
            Rule rule;
            rule.args = conditions;
            profile_.rules.insert(profile_.rules.begin() + static_cast<std::ptrdiff_t>(at), std::move(rule));
            origins_.insert(origins_.begin() + static_cast<std::ptrdiff_t>(at),
                            Origin{0, true, before_others, {}});
        }
        auto& names = profile_.rules[at].names;
        names.insert(std::lower_bound(names.begin(), names.end(), name), name);
        origins_[at].reasons.add(reason);
    }

    // From a rule that denies it. A rule without names would say nothing: the last name takes it along.
    void remove(const std::string& name, std::size_t at, std::vector<std::string>& changes) {
        changes.push_back("remove \"" + name + "\" from syscalls[" + std::to_string(origins_[at].index) +
                          "], which denies it");
        Rule& rule = profile_.rules[at];
        std::erase(rule.names, name);
        if (rule.name == name) rule.name.clear();
        if (!names_of(rule).empty()) return;
        profile_.rules.erase(profile_.rules.begin() + static_cast<std::ptrdiff_t>(at));
        origins_.erase(origins_.begin() + static_cast<std::ptrdiff_t>(at));
    }

    Profile profile_;
    const Machine& machine_;
    Abi native_;
    std::vector<Origin> origins_;
};

}  // namespace

Result<Fixed> fix(const Profile& profile, const Machine& machine, std::span<const Need> needs) {
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    Fixer fixer(profile, machine, *native);
    Fixed fixed{{}, std::vector<std::vector<std::string>>(needs.size()), {}};
    // What is let through whatever the arguments needs no rules for some of them besides.
    for (const bool arguments_known : {false, true})
        for (std::size_t i = 0; i < needs.size(); ++i) {
            if (needs[i].arguments.has_value() != arguments_known) continue;
            if (syscall_name(needs[i].call).empty() || !fixer.cover(needs[i].call.abi, fixed.changes[i]))
                fixed.impossible.push_back(i);
            else
                fixer.let_through(needs[i], fixed.changes[i]);
        }
    std::sort(fixed.impossible.begin(), fixed.impossible.end());
    fixed.profile = std::move(fixer).take();
    return fixed;
}

}  // namespace callcensus
