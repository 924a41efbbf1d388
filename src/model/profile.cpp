#include "callcensus/profile.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/errno_names.hpp"
#include "base/nearest.hpp"

namespace callcensus {
namespace {

constexpr std::array<std::pair<Action, std::string_view>, 9> tokens{{
    {Action::allow, "SCMP_ACT_ALLOW"},
    {Action::errno_, "SCMP_ACT_ERRNO"},
    {Action::kill, "SCMP_ACT_KILL"},
    {Action::kill_process, "SCMP_ACT_KILL_PROCESS"},
    {Action::kill_thread, "SCMP_ACT_KILL_THREAD"},
    {Action::trap, "SCMP_ACT_TRAP"},
    {Action::trace, "SCMP_ACT_TRACE"},
    {Action::log, "SCMP_ACT_LOG"},
    {Action::notify, "SCMP_ACT_NOTIFY"},
}};

std::uint32_t errno_of(Action action, const std::optional<std::uint32_t>& number, const std::string& name) {
    if (action != Action::errno_ && action != Action::trace) return 0;
    if (!name.empty())
        if (const auto named = errno_from_name(name)) return static_cast<std::uint32_t>(*named);
    return number.value_or(EPERM);
}

constexpr std::array<ComparisonInfo, 7> comparisons{{
    {Comparison::ne, "SCMP_CMP_NE", "!="},
    {Comparison::le, "SCMP_CMP_LE", "<="},
    {Comparison::lt, "SCMP_CMP_LT", "<"},
    {Comparison::eq, "SCMP_CMP_EQ", "=="},
    {Comparison::ge, "SCMP_CMP_GE", ">="},
    {Comparison::gt, "SCMP_CMP_GT", ">"},
    {Comparison::masked_eq, "SCMP_CMP_MASKED_EQ", ""},
}};

ComparisonInfo info_of(Comparison comparison) {
    for (const ComparisonInfo& row : comparisons)
        if (row.comparison == comparison) return row;
    return {Comparison::unknown, "", ""};
}

// Others that the kernel has (NEW_LISTENER, TSYNC_ESRCH) are not for profiles: runtime-spec, config-linux.md.
constexpr std::array<std::string_view, 4> filter_flags{"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                                       "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                                       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};

void use_number(std::optional<std::uint32_t>& number, std::string& name) {
    if (const auto known = errno_from_name(name)) number = static_cast<std::uint32_t>(*known);
    name.clear();
}

Action canonical(Action action) { return action == Action::kill ? Action::kill_thread : action; }

}  // namespace

std::string_view token(Action action) { return tokens.at(static_cast<std::size_t>(action)).second; }

std::optional<Action> find_action(std::string_view token) {
    for (const auto& [action, text] : tokens)
        if (text == token) return action;
    return std::nullopt;
}

Action nearest_action(std::string_view token) {
    constexpr std::string_view prefix = "SCMP_ACT_";
    std::vector<std::string_view> candidates;
    const bool with_prefix = edit_distance(token.substr(0, prefix.size()), prefix) <= 2;
    for (const auto& [action, text] : tokens)
        candidates.push_back(with_prefix ? text : text.substr(prefix.size()));
    const std::string found = nearest_word(token, candidates);
    return find_action(with_prefix ? found : std::string(prefix) + found).value_or(Action::errno_);
}

std::string all_action_tokens() {
    std::string all;
    for (const auto& [action, text] : tokens) all += (all.empty() ? "" : ", ") + std::string(text);
    return all;
}

bool lets_through(Action action) { return action == Action::allow || action == Action::log; }

bool Rule::speaks_of(std::string_view call) const {
    return name == call || std::find(names.begin(), names.end(), call) != names.end();
}

std::vector<std::string> names_of(const Rule& rule) {
    std::vector<std::string> names = rule.names;
    if (!rule.name.empty()) names.push_back(rule.name);
    return names;
}

Decision decision_of(const Rule& rule) {
    return {canonical(rule.action), errno_of(rule.action, rule.errno_ret, rule.errno_name)};
}

Decision default_decision(const Profile& profile) {
    return {canonical(profile.default_action),
            errno_of(profile.default_action, profile.default_errno_ret, profile.default_errno_name)};
}

std::span<const ComparisonInfo> all_comparisons() { return comparisons; }

std::optional<Comparison> find_comparison(std::string_view token) {
    for (const ComparisonInfo& row : comparisons)
        if (row.token == token) return row.comparison;
    return std::nullopt;
}

std::string_view token(Comparison comparison) { return info_of(comparison).token; }
std::string_view sign(Comparison comparison) { return info_of(comparison).sign; }

void add_to_families(std::vector<ArchitectureFamily>& families, Abi abi) {
    const std::string token(info(abi).token);
    const std::string native(info(info(abi).native).token);
    auto row = std::find_if(families.begin(), families.end(),
                            [&](const ArchitectureFamily& family) { return family.architecture == native; });
    if (row == families.end()) row = families.insert(row, {native, {}});
    auto& subs = row->sub_architectures;
    if (token != native && std::find(subs.begin(), subs.end(), token) == subs.end()) subs.push_back(token);
}

std::span<const std::string_view> all_filter_flags() { return filter_flags; }

void use_errno_numbers(Profile& profile) {
    use_number(profile.default_errno_ret, profile.default_errno_name);
    for (Rule& rule : profile.rules) use_number(rule.errno_ret, rule.errno_name);
}

}  // namespace callcensus
