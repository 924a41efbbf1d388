// Policies for `minijail0 -S`: one line for each call, of one ABI.
//
//     read: 1
//     clone: arg0 in 0xffffffff81fdffff
//     ioctl: arg1 == 0x5401 || arg1 == 0x5413; return ENOTTY
//
// What no line names is killed. `a & b` holds where they share a bit, `a in b` where a has no bit outside b;
// `return` is what happens where no condition holds, as minijail0 itself has it (its tool
// compile_seccomp_policy.py reads that the other way round).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "callcensus/argument_set.hpp"
#include "format/flat_profile.hpp"
#include "format/formats.hpp"

namespace callcensus {

using namespace flat;

namespace {

std::string number(std::uint64_t value) {
    return value < 10 ? std::to_string(value) : fmt::format("{:#x}", value);
}

// That the bits of `mask` have exactly the values that they have in `bits`.
std::string masked_equal(std::uint32_t index, std::uint64_t mask, std::uint64_t bits, std::uint64_t all) {
    std::string text;
    for (std::uint64_t bit = 1; bit != 0; bit <<= 1)
        if ((bits & bit) != 0) text += fmt::format(" && arg{} & {}", index, number(bit));
    const std::uint64_t zeros = mask & ~bits;
    if (zeros != 0 || text.empty()) text += fmt::format(" && arg{} in {}", index, number(~zeros & all));
    return text.substr(4);
}

std::string condition(const ArgumentCondition& condition, Abi abi) {
    // libseccomp cuts the values of 32-bit ABIs, too.
    const std::uint64_t all = largest_argument(argument_width(abi));
    const std::uint64_t value = condition.value & all;
    if (condition.op == Comparison::masked_eq)
        return masked_equal(condition.index, value, condition.value_two & value, all);
    const std::string_view op = sign(condition.op);
    if (op.empty()) return fmt::format("arg{} < 0", condition.index);  // never, as in set_of()
    return fmt::format("arg{} {} {}", condition.index, op, number(value));
}

std::string expression(const std::vector<ConditionalDecision>& alternatives, Abi abi) {
    std::string text;
    for (const ConditionalDecision& alternative : alternatives) {
        std::string clause;
        for (const ArgumentCondition& each : alternative.conditions)
            clause += (clause.empty() ? "" : " && ") + condition(each, abi);
        text += (text.empty() ? "" : " || ") + clause;
    }
    return text;
}

// The ABI of the file, and what is lost by there being one.
Abi choose_abi(const Profile& flat, const WriteContext& context, std::vector<std::string>& losses) {
    const std::vector<Abi> abis = covered_abis(flat, context.machine);
    const Abi chosen = context.abi.value_or(abis.empty() ? native_abi() : abis.front());
    if (std::find(abis.begin(), abis.end(), chosen) == abis.end())
        losses.push_back(fmt::format("that it is not for {}, which kills there", info(chosen).id));
    std::vector<std::string> others;
    for (const std::string& token : flat.architectures)
        if (token != info(chosen).token) others.push_back(token);
    if (!others.empty())
        losses.push_back(fmt::format("{}: the policy is for {} alone", listed(others), info(chosen).id));
    return chosen;
}

// What happens where no condition holds.
std::string denial_suffix(const Decision& otherwise) {
    return otherwise.action == Action::errno_ ? "; return " + errno_text(otherwise.value) : "";
}

std::string allowlist_policy(const CallPolicy& call, const Decision& otherwise, Abi abi, Unsaid& unsaid) {
    if (call.always) {
        if (call.always->action == Action::log) unsaid.logged.push_back(call.name);
        if (lets_through(call.always->action)) return "1";
        if (call.always->action == Action::errno_) return "return " + errno_text(call.always->value);
        if (!kills(*call.always)) unsaid.add_denial(call, *call.always);
        return {};
    }
    std::vector<ConditionalDecision> allowed;
    for (const ConditionalDecision& some : call.sometimes) {
        if (lets_through(some.decision.action)) allowed.push_back(some);
        if (some.decision.action == Action::log) unsaid.logged.push_back(call.name);
    }
    if (allowed.size() != call.sometimes.size()) {
        // Some arguments allow it and others deny it: minijail has no order in which to ask.
        unsaid.conditional.push_back(call.name);
        return {};
    }
    return expression(allowed, abi) + denial_suffix(otherwise);
}

std::string denylist_policy(const CallPolicy& call, Unsaid& unsaid) {
    const auto denial = denial_of(call, unsaid);
    if (!denial) return {};
    if (denial->action == Action::errno_) return "return " + errno_text(denial->value);
    unsaid.add_denial(call, *denial);
    return "return EPERM";
}

// libseccomp makes a rule for socket() one for socketcall(1, …), too, where an ABI has that; minijail does
// not.
std::string multiplexer_lines(const std::vector<CallPolicy>& calls, const Decision& otherwise, Abi abi,
                              std::vector<std::string>& denied_always) {
    const bool allows = lets_through(otherwise.action);
    std::map<std::string, std::vector<ConditionalDecision>> permitted;
    std::set<std::string> denied;
    for (const CallPolicy& call : calls) {
        const auto by = multiplexed(abi, call.name);
        if (!by) continue;
        const std::string multiplexer(by->call);
        const auto own = std::find_if(calls.begin(), calls.end(),
                                      [&](const CallPolicy& other) { return other.name == multiplexer; });
        const bool lets_all_through = call.always && lets_through(call.always->action);
        if (allows
                ? lets_all_through
                : own != calls.end() && own->always && lets_all_through && lets_through(own->always->action))
            continue;
        if (allows) denied.insert(multiplexer);
        if (!allows && lets_all_through && own == calls.end())
            permitted[multiplexer].push_back({{{0, by->selector, 0, Comparison::eq}}, *call.always});
        else
            denied_always.push_back(call.name + " by " + multiplexer);
    }
    std::string text;
    for (const auto& [multiplexer, selectors] : permitted)
        text += multiplexer + ": " + expression(selectors, abi) + denial_suffix(otherwise) + "\n";
    for (const std::string& multiplexer : denied) {
        const bool is_denied = std::any_of(calls.begin(), calls.end(), [&](const CallPolicy& other) {
            return other.name == multiplexer && !(other.always && lets_through(other.always->action));
        });
        if (!is_denied) text += multiplexer + ": return EPERM\n";
    }
    return text;
}

}  // namespace

Result<Written> write_minijail(const Profile& profile, const WriteContext& context) {
    Written written;
    std::vector<std::string>& losses = written.losses;
    const Profile flat = flatten(profile, context.machine, losses);
    tell_of_listener_and_flags(flat, losses);
    const Abi abi = choose_abi(flat, context, losses);
    const Decision otherwise = default_decision(flat);
    const bool allows = lets_through(otherwise.action);
    std::string& text = written.content;
    text = heading_comment(flat, context.source) + fmt::format("# For {} only.\n", info(abi).id);
    if (allows) text += "@denylist\n";
    if (otherwise.action == Action::log) losses.emplace_back("the logging of calls that no rule names");
    if (!allows && !kills(otherwise))
        losses.push_back(name_of(otherwise) + " for calls that no rule names: they are killed");
    Unsaid unsaid;
    const std::vector<CallPolicy> calls = policy_by_call(flat);
    for (const CallPolicy& call : calls) {
        if (!syscall_number(abi, call.name)) continue;  // minijail refuses names that it does not know
        const std::string policy =
            allows ? denylist_policy(call, unsaid) : allowlist_policy(call, otherwise, abi, unsaid);
        if (!policy.empty()) text += call.name + ": " + policy + "\n";
    }
    std::vector<std::string> denied_always;
    text += multiplexer_lines(calls, otherwise, abi, denied_always);
    if (!denied_always.empty())
        losses.push_back("what it says of " + listed(denied_always) + ": denied always");
    unsaid.tell(allows ? "they get EPERM" : "they are killed", losses);
    return written;
}

}  // namespace callcensus
