#include "callcensus/profile.hpp"

#include <algorithm>
#include <array>

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

}  // namespace

std::string_view token(Action action) { return tokens.at(static_cast<std::size_t>(action)).second; }

std::optional<Action> find_action(std::string_view token) {
    for (const auto& [action, text] : tokens)
        if (text == token) return action;
    return std::nullopt;
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

}  // namespace callcensus
