#include "callcensus/lint.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>

#include "base/words.hpp"
#include "callcensus/describe.hpp"
#include "lint/checks.hpp"

namespace callcensus {
namespace {

constexpr std::array<ConsumerFacts, 6> consumers{{
    {"docker", true, true, false, RuntimeSet::runc},
    {"podman", true, false, true, RuntimeSet::any},
    {"runc", false, false, false, RuntimeSet::runc},
    {"crun", false, false, false, RuntimeSet::crun},
    {"containerd", false, false, false, RuntimeSet::runc},
    {"spo", false, false, false, RuntimeSet::any},
}};

struct CheckRow {
    LintCheck check;
    void (*run)(Lint& lint);
};

// CC1: refused, or read otherwise than it is written. CC2: names. CC3: rules beside each other. CC4:
// conditions on arguments. CC5: what becomes of the programs under the profile.
constexpr std::array check_table{
    CheckRow{{"CC101", "malformed value"}, checks::malformed},
    CheckRow{{"CC102", "unknown action"}, checks::unknown_action},
    CheckRow{{"CC103", "unknown architecture"}, checks::unknown_architecture},
    CheckRow{{"CC104", "unknown operator"}, checks::unknown_operator},
    CheckRow{{"CC105", "argument index above 5"}, checks::argument_index},
    CheckRow{{"CC106", "name beside names"}, checks::name_and_names},
    CheckRow{{"CC107", "archMap beside architectures"}, checks::architectures_twice},
    CheckRow{{"CC108", "byte-order mark"}, checks::byte_order_mark},
    CheckRow{{"CC109", "repeated key"}, checks::repeated_key},
    CheckRow{{"CC110", "unknown field"}, checks::unknown_member},
    CheckRow{{"CC111", "taken for no profile"}, checks::switched_off},
    CheckRow{{"CC112", "rule without names"}, checks::no_names},
    CheckRow{{"CC113", "includes and excludes dropped"}, checks::context_dropped},
    CheckRow{{"CC114", "archMap dropped"}, checks::arch_map_dropped},
    CheckRow{{"CC115", "name dropped"}, checks::name_dropped},
    CheckRow{{"CC116", "errno name dropped"}, checks::errno_name_dropped},
    CheckRow{{"CC117", "minKernel dropped"}, checks::min_kernel_dropped},
    CheckRow{{"CC118", "minKernel is not X.Y"}, checks::min_kernel_form},
    CheckRow{{"CC119", "architecture in a condition is not Go's name"}, checks::context_architecture},
    CheckRow{{"CC120", "unknown capability"}, checks::capability},
    CheckRow{{"CC121", "flags"}, checks::flags},
    CheckRow{{"CC122", "errno of an action that has none"}, checks::errno_without_use},
    CheckRow{{"CC123", "errno out of range"}, checks::errno_value},
    CheckRow{{"CC124", "unknown errno name"}, checks::errno_name},
    CheckRow{{"CC125", "NOTIFY where it cannot be"}, checks::notify},
    CheckRow{{"CC126", "listener without NOTIFY"}, checks::listener},
    CheckRow{{"CC127", "architectures of both byte orders"}, checks::byte_orders},
    CheckRow{{"CC128", "architecture that older runtimes refuse"}, checks::new_architecture},
    CheckRow{{"CC129", "no place in a SeccompProfile"}, checks::operator_form},
    CheckRow{{"CC201", "unknown system call"}, checks::unknown_name},
    CheckRow{{"CC202", "system call newer than libseccomp"}, checks::new_name},
    CheckRow{{"CC203", "system call of another architecture"}, checks::absent_call},
    CheckRow{{"CC301", "duplicate"}, checks::duplicate},
    CheckRow{{"CC302", "contradicting rules"}, checks::conflict},
    CheckRow{{"CC303", "conditions without effect"}, checks::shadowed},
    CheckRow{{"CC304", "overlapping conditions with different actions"}, checks::order_dependent},
    CheckRow{{"CC305", "same as the default"}, checks::same_as_default},
    CheckRow{{"CC306", "rules that libseccomp compiles wrong"}, checks::miscompiled},
    CheckRow{{"CC307", "rules that runtimes refuse"}, checks::refused},
    CheckRow{{"CC401", "constant wider than the arguments"}, checks::wide_constant},
    CheckRow{{"CC402", "value outside the mask"}, checks::outside_mask},
    CheckRow{{"CC403", "valueTwo and operator do not match"}, checks::second_value},
    CheckRow{{"CC404", "argument compared twice in one rule"}, checks::repeated_index},
    CheckRow{{"CC405", "condition that always or never holds"}, checks::constant_condition},
    CheckRow{{"CC406", "condition on an address"}, checks::pointer},
    CheckRow{{"CC501", "everything allowed by default"}, checks::open_default},
    CheckRow{{"CC502", "denial that libc does not fall back from"}, checks::denied_fallback},
    CheckRow{{"CC503", "ENOSYS lost under runc"}, checks::enosys_trap},
    CheckRow{{"CC504", "calls that every program needs are denied"}, checks::missing_end},
    CheckRow{{"CC505", "calls of another libc or kernel are missing"}, checks::missing_siblings},
    CheckRow{{"CC506", "calls of the container runtime are denied"}, checks::missing_runtime_calls},
    CheckRow{{"CC507", "risky call"}, checks::risky},
    CheckRow{{"CC508", "LOG lets through"}, checks::logged},
    CheckRow{{"CC509", "TRACE without a tracer"}, checks::traced},
    CheckRow{{"CC510", "x32 is open"}, checks::x32_open},
    CheckRow{{"CC511", "ABI of this machine not listed"}, checks::closed_abi},
    CheckRow{{"CC512", "no architectures"}, checks::native_only},
    CheckRow{{"CC513", "multiplexer goes round conditions"}, checks::multiplexer},
    CheckRow{{"CC514", "32-bit calls are open"}, checks::open_abi},
    CheckRow{{"CC515", "KILL ends a thread only"}, checks::kills_a_thread},
    CheckRow{{"CC516", "another way is open"}, checks::other_ways},
};

constexpr bool sorted() {
    for (std::size_t i = 1; i < check_table.size(); ++i)
        if (!(check_table[i - 1].check.code < check_table[i].check.code)) return false;
    return true;
}
static_assert(sorted());

void add_abi(std::vector<Abi>& abis, std::string_view token) {
    const AbiInfo* row = find_abi_by_token(token);
    if (row != nullptr && std::find(abis.begin(), abis.end(), row->abi) == abis.end())
        abis.push_back(row->abi);
}

}  // namespace

std::string_view to_string(Consumer consumer) { return facts_of(consumer).name; }

std::optional<Consumer> find_consumer(std::string_view name) {
    for (std::size_t i = 0; i < consumers.size(); ++i)
        if (consumers[i].name == name) return static_cast<Consumer>(i);
    return std::nullopt;
}

std::vector<Consumer> default_consumers() {
    return {Consumer::docker, Consumer::podman, Consumer::runc, Consumer::crun, Consumer::containerd};
}

const ConsumerFacts& facts_of(Consumer consumer) { return consumers.at(static_cast<std::size_t>(consumer)); }

std::string predicate(const Decision& decision) {
    const std::string text = describe(decision);
    return text.rfind("kills", 0) == 0 ? text : "is " + text;
}

std::string enumerate(const std::vector<std::string>& words) {
    constexpr std::size_t shown = 10;
    if (words.size() < 2 || words.size() > shown) return listed(words, shown);
    return listed(std::span(words).first(words.size() - 1)) + " and " + words.back();
}

Lint::Lint(const ProfileText& of, const LintOptions& with) : text(of), profile(of.profile), options(with) {
    for (const std::string& token : profile.architectures) add_abi(abis, token);
    for (const ArchitectureFamily& family : profile.arch_map) {
        add_abi(abis, family.architecture);
        for (const std::string& token : family.sub_architectures) add_abi(abis, token);
    }
    if (abis.empty()) abis.push_back(options.native);
    for (std::size_t i = 0; i < profile.rules.size(); ++i) {
        const Rule& rule = profile.rules[i];
        for (std::size_t j = 0; j < rule.names.size(); ++j)
            uses[rule.names[j]].push_back({i, rule_path(i) + ".names[" + std::to_string(j) + "]"});
        if (rule.names.empty() && !rule.name.empty()) uses[rule.name].push_back({i, rule_path(i) + ".name"});
    }
}

void Lint::report(Severity severity, std::string_view path, std::string message, std::string fix) {
    report_at(severity, text.place_of(path), std::move(message), std::move(fix));
}

void Lint::report_at(Severity severity, Place place, std::string message, std::string fix) {
    findings.push_back({std::string(code), severity, place, std::move(message), std::move(fix)});
}

std::string Lint::chosen(std::initializer_list<Consumer> among) const {
    std::vector<std::string> names;
    for (const Consumer consumer : options.consumers)
        if (std::find(among.begin(), among.end(), consumer) != among.end())
            names.emplace_back(to_string(consumer));
    return enumerate(names);
}

std::string Lint::rule_path(std::size_t rule) { return "syscalls[" + std::to_string(rule) + "]"; }

bool Lint::lets_through_some(std::string_view name) const {
    const auto found = uses.find(name);
    return found != uses.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [&](const Use& use) { return lets_through(rule_of(use).action); });
}

bool Lint::has_abi(Abi abi) const { return std::find(abis.begin(), abis.end(), abi) != abis.end(); }

const Answers& Lint::answers_for(Consumer consumer, Rights rights) {
    const ConsumerFacts& facts = facts_of(consumer);
    return answers_
        .try_emplace({facts.dockers_fields, facts.errno_names, rights}, profile, facts, rights, abis)
        .first->second;
}

std::string Lint::path_of(const RuleDenial& denial, std::string_view call,
                          std::string_view by_default) const {
    const auto found = uses.find(call);
    if (denial.rule && found != uses.end())
        for (const Use& use : found->second)
            if (use.rule == *denial.rule) return use.path;
    return std::string(by_default);
}

std::string Lint::line_of(std::string_view path) const {
    return "line " + std::to_string(text.place_of(path).line);
}

std::vector<LintCheck> lint_checks() {
    std::vector<LintCheck> checks;
    for (const CheckRow& row : check_table) checks.push_back(row.check);
    return checks;
}

std::vector<Finding> lint(const ProfileText& text, const LintOptions& options) {
    Lint lint(text, options);
    // Of what is no profile there is nothing to say but that.
    const bool is_empty = text.places.size() <= 1 || says_nothing(lint);
    for (const CheckRow& row : check_table) {
        if (is_empty && row.check.code >= "CC2") break;
        const auto& ignored = options.ignored;
        if (std::find(ignored.begin(), ignored.end(), row.check.code) != ignored.end()) continue;
        lint.code = row.check.code;
        row.run(lint);
    }
    // What is said of a value that is none would be said of our guess at it.
    std::set<Place> guessed;
    for (const Fault& fault : text.faults)
        if (fault.kind == Fault::Kind::malformed) guessed.insert(fault.place);
    std::vector<Finding> findings;
    std::copy_if(lint.findings.begin(), lint.findings.end(), std::back_inserter(findings),
                 [&](const Finding& finding) {
                     return finding.code == check_table.front().check.code ||
                            guessed.count(finding.place) == 0;
                 });
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& a, const Finding& b) { return a.place < b.place; });
    return findings;
}

}  // namespace callcensus
