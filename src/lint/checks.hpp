// What the checks of lint share, and the checks. Each has a row in the table in lint.cpp and reports under
// that row's code only.
#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "callcensus/lint.hpp"
#include "callcensus/meaning.hpp"
#include "callcensus/runtime_set.hpp"
#include "lint/answers.hpp"

namespace callcensus {

/// "is denied with EPERM", "kills the process": describe() as a sentence goes on.
[[nodiscard]] std::string predicate(const Decision& decision);

/// How the consumers differ (facts measured with runc 1.1 to 1.5, crun 1.8 to 1.28, podman 4.3 and docker
/// 20.10, and their sources).
struct ConsumerFacts {
    std::string_view name;
    bool dockers_fields;  // archMap, includes and excludes, `name`
    bool min_kernel;
    bool errno_names;
    RuntimeSet runtime;  // what it may run containers with
};
[[nodiscard]] const ConsumerFacts& facts_of(Consumer consumer);

/// "a, b and c"; of long lists the first ten and how many more.
[[nodiscard]] std::string enumerate(const std::vector<std::string>& words);

/// One run of lint: what a check sees, and where it reports to.
class Lint {
  public:
    /// Where a name stands.
    struct Use {
        std::size_t rule;
        std::string path;
    };

    Lint(const ProfileText& text, const LintOptions& options);

    void report(Severity severity, std::string_view path, std::string message, std::string fix);
    void report_at(Severity severity, Place place, std::string message, std::string fix);
    /// Those of the chosen consumers that are among these: "docker and podman"; empty for none.
    [[nodiscard]] std::string chosen(std::initializer_list<Consumer> among) const;
    template <class Predicate>
    [[nodiscard]] std::string chosen_where(Predicate holds) const {
        std::vector<std::string> names;
        for (const Consumer consumer : options.consumers)
            if (holds(facts_of(consumer))) names.emplace_back(to_string(consumer));
        return enumerate(names);
    }
    [[nodiscard]] static std::string rule_path(std::size_t rule);
    [[nodiscard]] const Rule& rule_of(const Use& use) const { return profile.rules[use.rule]; }
    /// Whether a rule lets it through, perhaps under conditions.
    [[nodiscard]] bool lets_through_some(std::string_view name) const;
    /// Whether any rule speaks of it.
    [[nodiscard]] bool names(std::string_view name) const { return uses.find(name) != uses.end(); }
    [[nodiscard]] bool has_abi(Abi abi) const;
    [[nodiscard]] std::set<Abi> abi_set() const { return {abis.begin(), abis.end()}; }
    [[nodiscard]] bool denies_by_default() const { return !lets_through(profile.default_action); }
    /// What the profile answers as the consumer reads it.
    [[nodiscard]] const Answers& answers_for(Consumer consumer, Rights rights = Rights::by_default);
    /// Whether any architecture of the profile has the call.
    [[nodiscard]] bool exists(std::string_view name) const { return exists_on_any(abi_set(), name); }
    /// Where a call is denied: at its name in the rule, or at `by_default`.
    [[nodiscard]] std::string path_of(const RuleDenial& denial, std::string_view call,
                                      std::string_view by_default) const;
    /// "line 12".
    [[nodiscard]] std::string line_of(std::string_view path) const;

    const ProfileText& text;
    const Profile& profile;
    const LintOptions& options;
    std::vector<Abi> abis;                                      // that the profile is for
    std::map<std::string, std::vector<Use>, std::less<>> uses;  // by name, in the order of the rules

    std::string_view code;  // of the check that runs
    std::vector<Finding> findings;

  private:
    std::map<std::tuple<bool, bool, Rights>, Answers> answers_;  // by what of the profile is read
};

// lint_no_profile.cpp
/// Whether the fault is that the profile names no default action.
[[nodiscard]] bool has_no_default(const Lint& lint, const Fault& fault);
/// Whether the file has neither a default action nor rules, as programs in Go read its keys.
[[nodiscard]] bool says_nothing(const Lint& lint);
/// The chosen consumers that take such a file for none, and start containers unconfined; empty for others.
[[nodiscard]] std::string taken_for_none_by(const Lint& lint);

namespace checks {

// lint_no_profile.cpp
void switched_off(Lint& lint);

// check_consumers.cpp: what a consumer refuses or reads otherwise
void malformed(Lint& lint);
void unknown_action(Lint& lint);
void unknown_architecture(Lint& lint);
void unknown_operator(Lint& lint);
void argument_index(Lint& lint);
void name_and_names(Lint& lint);
void architectures_twice(Lint& lint);
void byte_order_mark(Lint& lint);
void repeated_key(Lint& lint);
void unknown_member(Lint& lint);
void no_names(Lint& lint);
void context_dropped(Lint& lint);
void arch_map_dropped(Lint& lint);
void name_dropped(Lint& lint);
void errno_name_dropped(Lint& lint);
void min_kernel_dropped(Lint& lint);
void min_kernel_form(Lint& lint);
void context_architecture(Lint& lint);
void capability(Lint& lint);
void flags(Lint& lint);
void errno_without_use(Lint& lint);
void errno_value(Lint& lint);
void errno_name(Lint& lint);
void notify(Lint& lint);
void listener(Lint& lint);
void byte_orders(Lint& lint);
void new_architecture(Lint& lint);
void operator_form(Lint& lint);

// check_rules.cpp: names, rules beside each other, conditions
void unknown_name(Lint& lint);
void new_name(Lint& lint);
void absent_call(Lint& lint);
void duplicate(Lint& lint);
void conflict(Lint& lint);
void shadowed(Lint& lint);
void order_dependent(Lint& lint);
void same_as_default(Lint& lint);
void miscompiled(Lint& lint);
void wide_constant(Lint& lint);
void outside_mask(Lint& lint);
void second_value(Lint& lint);
void repeated_index(Lint& lint);
void constant_condition(Lint& lint);
void pointer(Lint& lint);

// check_loading.cpp: what libseccomp refuses
void refused(Lint& lint);

// check_start.cpp: whether containers start, and programs end
void missing_end(Lint& lint);
void missing_runtime_calls(Lint& lint);

// check_fallbacks.cpp: newer calls that programs go on from
void denied_fallback(Lint& lint);
void enosys_trap(Lint& lint);

// check_ways.cpp: what a list of denied calls leaves open
void other_ways(Lint& lint);

// check_effects.cpp: what becomes of programs
void open_default(Lint& lint);
void missing_siblings(Lint& lint);
void risky(Lint& lint);
void logged(Lint& lint);
void traced(Lint& lint);
void x32_open(Lint& lint);
void closed_abi(Lint& lint);
void native_only(Lint& lint);
void multiplexer(Lint& lint);
void open_abi(Lint& lint);
void kills_a_thread(Lint& lint);

}  // namespace checks
}  // namespace callcensus
