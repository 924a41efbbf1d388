#include "format/flat_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>

#include "base/errno_names.hpp"
#include "base/printable.hpp"
#include "base/words.hpp"
#include "callcensus/argument_set.hpp"

namespace callcensus::flat {
namespace {

// No runtime knows a name like "@system-service" or one with a line break; other formats might.
bool could_be_a_call(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

void add(CallPolicy& policy, const Rule& rule, const Decision& decision) {
    if (policy.always) return;
    if (rule.args.empty()) {
        policy.always = decision;
        policy.sometimes.clear();
    } else if (repeats_an_index(rule.args)) {
        for (const ArgumentCondition& condition : rule.args)
            policy.sometimes.push_back({{condition}, decision});
    } else {
        policy.sometimes.push_back({rule.args, decision});
    }
}

}  // namespace

void tell_of_resolving(const Profile& profile, const Machine& machine, std::vector<std::string>& losses) {
    const auto conditional = std::count_if(profile.rules.begin(), profile.rules.end(), [](const Rule& rule) {
        return !rule.includes.empty() || !rule.excludes.empty();
    });
    if (conditional != 0)
        losses.push_back(fmt::format(
            "conditions on capabilities, architectures or kernels ({} {}): decided once, for {} and "
            "{} capabilities",
            conditional, conditional == 1 ? "rule" : "rules", machine.arch,
            machine.caps == docker_default_capabilities() ? "Docker's default" : "the given"));
    const AbiInfo* native = find_machine_abi(machine.arch);
    std::vector<std::string> others;
    for (const ArchitectureFamily& family : profile.arch_map)
        if (native == nullptr || family.architecture != native->token) others.push_back(family.architecture);
    if (!others.empty()) losses.push_back("archMap for other machines: " + listed(others));
    std::set<std::string> unknown;
    for (const auto& [key, value] : profile.unknown) unknown.insert(key);
    for (const Rule& rule : profile.rules)
        for (const auto& [key, value] : rule.unknown) unknown.insert(key);
    for (const std::string& key : unknown) losses.push_back(fmt::format("the unknown field \"{}\"", key));
}

Profile flatten(const Profile& profile, const Machine& machine, std::vector<std::string>& losses) {
    tell_of_resolving(profile, machine, losses);
    Profile resolved = resolve(profile, machine);
    resolved.unknown.clear();
    for (Rule& rule : resolved.rules) rule.unknown.clear();
    return resolved;
}

std::string errno_text(std::uint32_t errnum) {
    // Those of the kernel alone (ERESTARTSYS) are names to nobody else.
    constexpr std::uint32_t first_internal = 512;
    if (errnum >= first_internal) return std::to_string(errnum);
    const std::string name = errno_name(static_cast<int>(errnum));
    return name == fmt::format("E{}", errnum) ? std::to_string(errnum) : name;
}

std::string name_of(const Decision& decision) {
    if (decision.action == Action::errno_) return errno_name(static_cast<int>(decision.value));
    return std::string(token(decision.action));
}

void tell_of_listener_and_flags(const Profile& profile, std::vector<std::string>& losses) {
    for (const std::string& flag : profile.flags) losses.push_back("the flag " + flag);
    if (!profile.listener_path.empty() || !profile.listener_metadata.empty())
        losses.emplace_back("the listener of SCMP_ACT_NOTIFY");
}

std::string heading_comment(const Profile& profile, const std::string& source) {
    std::string text =
        "# Made by callcensus" + (source.empty() ? "" : " from " + without_controls(source)) + ".\n";
    for (const Rule& rule : profile.rules)
        if (!rule.comment.empty() && !rule.names.empty())
            text += without_controls(fmt::format("# {}: {}", listed(rule.names), rule.comment)) + "\n";
    return text;
}

std::vector<CallPolicy> policy_by_call(const Profile& resolved) {
    const Decision otherwise = default_decision(resolved);
    std::vector<CallPolicy> calls;
    std::unordered_map<std::string, std::size_t> places;
    for (const Rule& rule : resolved.rules) {
        const Decision decision = decision_of(rule);
        if (decision == otherwise) continue;
        for (const std::string& name : rule.names) {
            if (!could_be_a_call(name)) continue;
            const auto [place, is_new] = places.try_emplace(name, calls.size());
            if (is_new) calls.push_back({name, {}, {}});
            add(calls[place->second], rule, decision);
        }
    }
    return calls;
}

std::vector<Abi> covered_abis(const Profile& resolved, const Machine& machine) {
    std::vector<Abi> abis;
    if (resolved.architectures.empty())
        if (const AbiInfo* native = find_machine_abi(machine.arch)) abis.push_back(native->abi);
    for (const std::string& token : resolved.architectures)
        if (const AbiInfo* row = find_abi_by_token(token);
            row != nullptr && std::find(abis.begin(), abis.end(), row->abi) == abis.end())
            abis.push_back(row->abi);
    return abis;
}

bool kills(const Decision& decision) {
    return decision.action == Action::kill_process || decision.action == Action::kill_thread;
}

void Unsaid::add_denial(const CallPolicy& call, const Decision& denial) {
    otherwise_denied.push_back(call.name + " (" + name_of(denial) + ")");
}

void Unsaid::tell(const std::string& instead, std::vector<std::string>& losses) const {
    if (!logged.empty()) losses.push_back("the logging of " + listed(logged));
    if (!conditional.empty())
        losses.push_back("conditions on the arguments of " + listed(conditional) + ": denied always");
    if (!otherwise_denied.empty())
        losses.push_back("denials of their own by " + listed(otherwise_denied) + ": " + instead);
}

std::optional<Decision> denial_of(const CallPolicy& call, Unsaid& unsaid) {
    std::optional<Decision> denial;
    if (call.always && !lets_through(call.always->action)) denial = call.always;
    for (const ConditionalDecision& some : call.sometimes)
        if (!denial && !lets_through(some.decision.action)) denial = some.decision;
    const bool logs = call.always ? call.always->action == Action::log : !denial;
    if (logs) unsaid.logged.push_back(call.name);
    if (denial && !call.always) unsaid.conditional.push_back(call.name);
    return denial;
}

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t most = 3;
    return without_controls(callcensus::listed(names, most));
}

}  // namespace callcensus::flat
