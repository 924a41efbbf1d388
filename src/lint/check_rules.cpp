// Names of calls, rules beside each other, and conditions on arguments.
//
// What libseccomp 2.5.4 was seen to do with several rules for one call: an unconditional rule beats
// conditional ones whichever comes first; of two unconditional ones the first wins; conditional ones with
// different actions that overlap are refused or take libseccomp's own order.
#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "abi/libc_functions.hpp"
#include "callcensus/abi.hpp"
#include "callcensus/argument_set.hpp"
#include "callcensus/describe.hpp"
#include "callcensus/families.hpp"
#include "lint/checks.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t largest_32 = std::numeric_limits<std::uint32_t>::max();

bool is_known(const std::string& name) {
    return libseccomp_knows(name) || !libseccomp_needed_for(name).empty();
}

bool is_unconditional(const Rule& rule) { return rule.args.empty(); }
bool is_everywhere(const Rule& rule) { return rule.includes.empty() && rule.excludes.empty(); }

// Whether `rule` applies wherever `other` does, as far as includes and excludes go.
bool covers_context(const Rule& rule, const Rule& other) {
    return is_everywhere(rule) || (rule.includes == other.includes && rule.excludes == other.excludes);
}

bool same_conditions(const Rule& a, const Rule& b) { return a.args == b.args; }

// Every place where a call is named again, with the first earlier place that `judge` finds something about.
template <class Judge>
void for_each_pair(const std::vector<Lint::Use>& uses, Judge judge) {
    for (std::size_t later = 1; later < uses.size(); ++later)
        for (std::size_t earlier = 0; earlier < later; ++earlier)
            if (judge(uses[earlier], uses[later])) break;
}

// The same among places with the same conditions. There may be thousands of rules for one call, so that only
// the first is looked at of those that say the same.
template <class Judge>
void for_each_pair_with_same_conditions(const Lint& lint, Judge judge) {
    const auto less = [](const std::vector<ArgumentCondition>* a, const std::vector<ArgumentCondition>* b) {
        return std::lexicographical_compare(a->begin(), a->end(), b->begin(), b->end(),
                                            [](const ArgumentCondition& x, const ArgumentCondition& y) {
                                                return std::tie(x.index, x.op, x.value, x.value_two) <
                                                       std::tie(y.index, y.op, y.value, y.value_two);
                                            });
    };
    const auto say_the_same = [](const Rule& a, const Rule& b) {
        return decision_of(a) == decision_of(b) && a.includes == b.includes && a.excludes == b.excludes;
    };
    for (const auto& [name, uses] : lint.uses) {
        std::map<const std::vector<ArgumentCondition>*, std::vector<const Lint::Use*>, decltype(less)> groups(
            less);
        for (const Lint::Use& use : uses) {
            std::vector<const Lint::Use*>& earlier = groups[&lint.rule_of(use).args];
            for (const Lint::Use* each : earlier)
                if (judge(name, *each, use)) break;
            bool said = false;
            for (const Lint::Use* each : earlier)
                said = said || say_the_same(lint.rule_of(*each), lint.rule_of(use));
            if (!said) earlier.push_back(&use);
        }
    }
}

template <class Function>
void for_each_condition(Lint& lint, Function function) {
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        for (std::size_t j = 0; j < lint.profile.rules[i].args.size(); ++j)
            function(lint.profile.rules[i], lint.profile.rules[i].args[j],
                     Lint::rule_path(i) + ".args[" + std::to_string(j) + "]");
}

std::string quoted(Strings words) {
    for (std::string& word : words) word = '"' + word + '"';
    return enumerate(words);
}

// What does the work of a call on ABIs that do not have it: newfstatat of stat64, openat of open.
Strings in_its_place(const std::string& call, const std::set<Abi>& abis) {
    Strings others = calls_behind(call, abis);
    for (const Siblings& row : siblings({call}, abis))
        for (const std::string& name : row.names)
            if (exists_on_any(abis, name) && std::find(others.begin(), others.end(), name) == others.end())
                others.push_back(name);
    return others;
}

bool is_comparison(const ArgumentCondition& condition) {
    return condition.op != Comparison::eq && condition.op != Comparison::masked_eq;
}

}  // namespace

void unknown_name(Lint& lint) {
    std::size_t advised = 0;
    for (const auto& [name, uses] : lint.uses) {
        if (is_known(name)) continue;
        // Looking for the nearest takes a while, and a thousand misspelt names are none.
        const std::string meant =
            ++advised <= 1000 ? quoted(meant_calls(name, lint.abi_set())) : std::string();
        for (const Lint::Use& use : uses) {
            // In a list of what is denied, a call that is not found is a call that is allowed.
            const bool stays_open = !lint.denies_by_default() && !lets_through(lint.rule_of(use).action);
            lint.report(stays_open ? Severity::error : Severity::warning, use.path,
                        "no system call is called \"" + name + "\", and runtimes ignore it" +
                            (stays_open ? ": what is meant stays allowed" : ""),
                        meant.empty() ? "drop it" : "write " + meant + ", if that is what is meant");
        }
    }
}

void new_name(Lint& lint) {
    for (const auto& [name, uses] : lint.uses)
        if (const auto release = libseccomp_needed_for(name); !release.empty())
            lint.report(Severity::note, uses.front().path,
                        name + " needs a runtime with libseccomp " + std::string(release) +
                            " or later; others ignore it",
                        "nothing, if the call answering with the default is good enough there");
}

void absent_call(Lint& lint) {
    if (lint.profile.architectures.empty()) return;  // an archMap is for many machines
    const std::set<Abi> abis = lint.abi_set();
    std::map<std::size_t, Strings> absent;
    for (const auto& [name, uses] : lint.uses)
        if (is_known(name) && !exists_on_any(abis, name))
            for (const Lint::Use& use : uses) absent[use.rule].push_back(name);
    for (const auto& [rule, names] : absent) {
        std::set<std::string> others;
        for (const std::string& name : names)
            for (const std::string& other : in_its_place(name, abis))
                if (!lint.names(other)) others.insert(other);
        lint.report(Severity::note, Lint::rule_path(rule),
                    Lint::rule_path(rule) + " names " + enumerate(names) +
                        ", which no architecture of the profile has",
                    others.empty() ? "drop them, if the profile is for these architectures only"
                                   : "name " + enumerate({others.begin(), others.end()}) +
                                         ", which do their work there, or drop them if nobody is to do it");
    }
}

void duplicate(Lint& lint) {
    for_each_pair_with_same_conditions(
        lint, [&](const std::string& name, const Lint::Use& earlier, const Lint::Use& later) {
            const Rule& a = lint.rule_of(earlier);
            const Rule& b = lint.rule_of(later);
            if (decision_of(a) != decision_of(b)) return false;
            if (!covers_context(a, b) && !covers_context(b, a)) return false;
            const Lint::Use& needless = covers_context(a, b) ? later : earlier;
            const Lint::Use& needed = covers_context(a, b) ? earlier : later;
            lint.report(Severity::note, needless.path,
                        name + " has that answer already by " + lint.line_of(needed.path), "drop it here");
            return true;
        });
}

void conflict(Lint& lint) {
    for_each_pair_with_same_conditions(lint, [&](const std::string& name, const Lint::Use& earlier,
                                                 const Lint::Use& later) {
        const Rule& a = lint.rule_of(earlier);
        const Rule& b = lint.rule_of(later);
        if (decision_of(a) == decision_of(b) || !covers_context(a, b)) return false;
        const std::string answered =
            name + " " + predicate(decision_of(a)) + " by " + lint.line_of(earlier.path);
        if (is_unconditional(a))
            lint.report(Severity::warning, later.path, answered + ", and the first of two rules wins",
                        "drop one of the two");
        else
            lint.report(Severity::error, later.path,
                        answered + " under the same conditions, and runtimes refuse the file (file exists)",
                        "drop one of the two");
        return true;
    });
}

void shadowed(Lint& lint) {
    for (const auto& [name, uses] : lint.uses) {
        std::vector<Lint::Use> general;
        std::copy_if(uses.begin(), uses.end(), std::back_inserter(general),
                     [&](const Lint::Use& use) { return is_unconditional(lint.rule_of(use)); });
        for (const Lint::Use& use : uses) {
            const Rule& rule = lint.rule_of(use);
            if (is_unconditional(rule)) continue;
            const auto over = std::find_if(general.begin(), general.end(), [&](const Lint::Use& other) {
                return covers_context(lint.rule_of(other), rule);
            });
            if (over != general.end())
                lint.report(Severity::warning, use.path,
                            "the conditions on " + name + " have no effect: " + lint.line_of(over->path) +
                                ": whatever its arguments it " + predicate(decision_of(lint.rule_of(*over))) +
                                ", and that wins wherever it stands",
                            "drop the name from one of the two rules");
        }
    }
}

void order_dependent(Lint& lint) {
    for (const auto& [name, uses] : lint.uses) {
        const Decision first = decision_of(lint.rule_of(uses.front()));
        if (std::all_of(uses.begin(), uses.end(),
                        [&](const Lint::Use& use) { return decision_of(lint.rule_of(use)) == first; }))
            continue;
        const std::string& call = name;
        std::map<const Rule*, ArgumentSet> arguments;
        for (const Lint::Use& use : uses)
            arguments[&lint.rule_of(use)] = set_of(lint.rule_of(use).args, ArgumentWidth::bits64);
        for_each_pair(uses, [&](const Lint::Use& earlier, const Lint::Use& later) {
            const Rule& a = lint.rule_of(earlier);
            const Rule& b = lint.rule_of(later);
            if (decision_of(a) == decision_of(b) || is_unconditional(a) || is_unconditional(b)) return false;
            if (same_conditions(a, b) || intersection(arguments[&a], arguments[&b]).empty()) return false;
            if (!covers_context(a, b) && !covers_context(b, a)) return false;
            lint.report(Severity::warning, later.path,
                        "some arguments of " + call + " meet this condition and that of " +
                            lint.line_of(earlier.path) +
                            ", which answers otherwise: runtimes refuse that, or libseccomp chooses",
                        "make the conditions exclude each other");
            return true;
        });
    }
}

void same_as_default(Lint& lint) {
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        if (decision_of(lint.profile.rules[i]) == default_decision(lint.profile))
            lint.report(Severity::note, Lint::rule_path(i),
                        Lint::rule_path(i) +
                            " says what the default says: " + describe(default_decision(lint.profile)),
                        "drop it, or keep it for those who read the profile");
}

void miscompiled(Lint& lint) {
    const auto is_hard = [](const Rule& rule) {
        const bool compares = std::any_of(rule.args.begin(), rule.args.end(), is_comparison);
        const bool wide_range =
            std::any_of(rule.args.begin(), rule.args.end(), [](const ArgumentCondition& condition) {
                return (condition.op == Comparison::lt || condition.op == Comparison::le) &&
                       condition.value > largest_32;
            });
        return compares && (rule.args.size() > 1 || wide_range);
    };
    for (const auto& [name, uses] : lint.uses) {
        const bool always = std::any_of(uses.begin(), uses.end(), [&](const Lint::Use& use) {
            return is_unconditional(lint.rule_of(use)) && is_everywhere(lint.rule_of(use));
        });
        if (always) continue;  // no condition counts
        for (const Lint::Use& use : uses) {
            const Rule& rule = lint.rule_of(use);
            if (!is_hard(rule)) continue;
            const bool has_company = std::any_of(uses.begin(), uses.end(), [&](const Lint::Use& other) {
                const Rule& with = lint.rule_of(other);
                return !is_unconditional(with) && !same_conditions(with, rule) &&
                       (covers_context(with, rule) || covers_context(rule, with));
            });
            if (!has_company) continue;
            lint.report(Severity::error, use.path,
                        "libseccomp 2.5 is known to compile such rules for " + name +
                            " wrong, or never to return: several rules for one call, this one " +
                            (rule.args.size() > 1 ? "with several conditions of which not all are EQ"
                                                  : "with a range above 32 bits"),
                        "write the rules with SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ only, or a single rule");
            break;
        }
    }
}

void wide_constant(Lint& lint) {
    const auto abi = std::find_if(lint.abis.begin(), lint.abis.end(),
                                  [](Abi each) { return argument_width(each) == ArgumentWidth::bits32; });
    if (abi == lint.abis.end()) return;
    const std::string_view token = info(*abi).token;
    for_each_condition(lint, [&](const Rule&, const ArgumentCondition& condition, const std::string& path) {
        if (condition.value > largest_32 || condition.value_two > largest_32)
            lint.report(Severity::warning, path,
                        path + " has a constant above 32 bits, of which " + std::string(token) +
                            " compares the low half only",
                        "write a profile of its own for the 64-bit architecture, or constants of 32 bits");
    });
}

void outside_mask(Lint& lint) {
    for_each_condition(lint, [&](const Rule&, const ArgumentCondition& condition, const std::string& path) {
        if (condition.op == Comparison::masked_eq && (condition.value_two & ~condition.value) != 0)
            lint.report(
                Severity::warning, path, path + " compares with bits outside its mask, and they are ignored",
                "value is the mask and valueTwo what the masked argument shall be: widen the one or narrow the other");
    });
}

void second_value(Lint& lint) {
    for_each_condition(lint, [&](const Rule&, const ArgumentCondition& condition, const std::string& path) {
        const bool masked = condition.op == Comparison::masked_eq;
        const bool is_there = lint.text.places.count(path + ".valueTwo") != 0;
        if (!masked && condition.value_two != 0)
            lint.report(Severity::warning, path + ".valueTwo",
                        path + " has a valueTwo, which only SCMP_CMP_MASKED_EQ reads",
                        "drop it, or use SCMP_CMP_MASKED_EQ with value as the mask");
        else if (masked && !is_there)
            lint.report(Severity::note, path,
                        path + " has no valueTwo and asks that all bits of the mask in value be 0",
                        "write \"valueTwo\": 0 where that is meant, or the bits that are to be set");
    });
}

void repeated_index(Lint& lint) {
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i) {
        std::set<std::uint32_t> seen;
        const Rule& rule = lint.profile.rules[i];
        for (std::size_t j = 0; j < rule.args.size(); ++j) {
            if (seen.insert(rule.args[j].index).second) continue;
            lint.report(lets_through(rule.action) ? Severity::error : Severity::warning,
                        Lint::rule_path(i) + ".args[" + std::to_string(j) + "]",
                        Lint::rule_path(i) + " compares argument " + std::to_string(rule.args[j].index) +
                            " twice: runc and crun then let any single condition of the rule suffice",
                        "write one condition for each argument, or several rules where any of them shall do");
            break;
        }
    }
}

void constant_condition(Lint& lint) {
    for_each_condition(lint, [&](const Rule& rule, const ArgumentCondition& condition,
                                 const std::string& path) {
        const auto is = [&](Comparison op, std::uint64_t value) {
            return condition.op == op && condition.value == value;
        };
        const bool always =
            is(Comparison::ge, 0) || is(Comparison::le, largest) || is(Comparison::masked_eq, 0);
        const bool never = is(Comparison::lt, 0) || is(Comparison::gt, largest);
        if (always)
            lint.report(Severity::warning, path, path + " holds for every argument",
                        rule.args.size() == 1 ? "drop the condition" : "drop it, or correct the constant");
        if (never)
            lint.report(Severity::warning, path, path + " holds for no argument: the rule has no effect",
                        "drop the rule, or correct the constant");
    });
}

// What user memory holds can change after the check, and where it lies differs from run to run.
void pointer(Lint& lint) {
    struct Row {
        std::uint32_t mask;  // bit N: argument N is an address
        std::string_view names;
    };
    // The prototypes in section 2 of the manual pages.
    constexpr std::array rows{
        Row{0b000001,
            " access acct chdir chmod chown chroot creat lchown mkdir mknod open rmdir swapoff swapon truncate umount2 "
            "unlink clone3 "},
        Row{0b000011, " link lstat pivot_root readlink rename stat symlink "},
        Row{0b000111, " execve "},
        Row{0b010111, " mount "},
        Row{0b000010,
            " bind connect faccessat faccessat2 fchmodat fchmodat2 fchownat mkdirat mknodat openat pread64 pwrite64 read "
            "recvmsg sendmsg unlinkat write "},
        Row{0b000110, " newfstatat openat2 readlinkat "},
        Row{0b000101, " symlinkat "},
        Row{0b001010, " linkat renameat renameat2 "},
        Row{0b001110, " execveat "},
        Row{0b010010, " sendto statx "},
    };
    for (const auto& [name, uses] : lint.uses)
        for (const Row& row : rows) {
            if (row.names.find(" " + name + " ") == std::string_view::npos) continue;
            for (const Lint::Use& use : uses) {
                const auto& args = lint.rule_of(use).args;
                for (std::size_t j = 0; j < args.size(); ++j)
                    if (args[j].index <= 5 && (row.mask >> args[j].index & 1) != 0 &&
                        (args[j].value != 0 || args[j].value_two != 0))
                        lint.report(Severity::warning,
                                    Lint::rule_path(use.rule) + ".args[" + std::to_string(j) + "]",
                                    "argument " + std::to_string(args[j].index) + " of " + name +
                                        " is an address: a filter cannot see what lies there",
                                    "drop the condition; addresses differ from run to run");
            }
        }
}

}  // namespace callcensus::checks
