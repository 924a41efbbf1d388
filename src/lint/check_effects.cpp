// What becomes of the programs under a profile.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "callcensus/families.hpp"
#include "callcensus/risk.hpp"
#include "lint/checks.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

// The ABIs of 32-bit programs on the machines that the profile is for; x32 is no such ABI.
template <class Function>
void for_each_narrow_relative(const Lint& lint, Function function) {
    for (const AbiInfo& row : all_abis())
        if (row.native != row.abi && row.abi != Abi::x32 && lint.has_abi(row.native)) function(row);
}

}  // namespace

void open_default(Lint& lint) {
    if (lint.denies_by_default()) return;
    lint.report(
        Severity::warning, "defaultAction",
        std::string(token(lint.profile.default_action)) +
            " as the default lets every call through that no rule names, those of kernels to come included",
        "deny by default and allow what is needed: SCMP_ACT_ERRNO with errno 38 (ENOSYS)");
}

void missing_siblings(Lint& lint) {
    if (!lint.denies_by_default()) return;
    std::set<std::string> allowed;
    for (const auto& [name, uses] : lint.uses)
        if (lint.lets_through_some(name)) allowed.insert(name);
    for (const Siblings& row : siblings(allowed, {lint.abis.begin(), lint.abis.end()})) {
        Strings missing;
        std::copy_if(row.names.begin(), row.names.end(), std::back_inserter(missing),
                     [&](const std::string& name) { return !lint.names(name); });
        if (!missing.empty())
            lint.report(Severity::note, "syscalls",
                        "a program that calls " + enumerate(row.of) + " here may call " + enumerate(missing) +
                            " elsewhere, which is not allowed: " + std::string(row.reason),
                        "allow " + enumerate(missing) +
                            " too, if the profile is to hold elsewhere (derive --families)");
    }
}

void risky(Lint& lint) {
    for (const auto& [name, uses] : lint.uses) {
        const Risk risk = risk_of(name);
        if (!is_risky(risk)) continue;
        for (const Lint::Use& use : uses) {
            const Rule& rule = lint.rule_of(use);
            const bool behind_capability = !rule.includes.caps.empty();
            if (!lets_through(rule.action) || behind_capability) continue;
            lint.report(Severity::note, use.path, name + " is allowed: " + std::string(risk.reason),
                        risk.capability.empty()
                            ? "drop it, if the program can do without"
                            : "drop it, if the container does not have " + std::string(risk.capability));
        }
    }
}

void logged(Lint& lint) {
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        if (lint.profile.rules[i].action == Action::log)
            lint.report(Severity::warning, Lint::rule_path(i) + ".action",
                        Lint::rule_path(i) + " only logs: SCMP_ACT_LOG lets the calls through",
                        "allow them if that is meant, or deny them with SCMP_ACT_ERRNO");
}

void traced(Lint& lint) {
    const auto judge = [&](Action action, const std::string& path) {
        if (action == Action::trace)
            lint.report(
                Severity::warning, path,
                "SCMP_ACT_TRACE asks a tracer, and no container runtime is one: the call fails with ENOSYS",
                "use SCMP_ACT_ERRNO with errno 38 (ENOSYS)");
    };
    judge(lint.profile.default_action, "defaultAction");
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        judge(lint.profile.rules[i].action, Lint::rule_path(i) + ".action");
}

void x32_open(Lint& lint) {
    if (!lint.has_abi(Abi::x32)) return;
    const auto& tokens = lint.profile.architectures;
    const auto at = std::find(tokens.begin(), tokens.end(), info(Abi::x32).token);
    const bool open = !lint.denies_by_default();
    lint.report(open ? Severity::warning : Severity::note,
                at == tokens.end() ? "archMap" : "architectures[" + std::to_string(at - tokens.begin()) + "]",
                std::string("x32 is listed: every 64-bit program can make ") +
                    (open ? "nearly all calls" : "the allowed calls") +
                    " by their x32 numbers as well, and hardly any needs to",
                "leave SCMP_ARCH_X32 out; such calls are then killed");
}

void closed_abi(Lint& lint) {
    for_each_narrow_relative(lint, [&](const AbiInfo& narrow) {
        if (lint.has_abi(narrow.abi)) return;
        const bool open = !lint.denies_by_default();
        lint.report(open ? Severity::warning : Severity::note, "architectures",
                    "calls of 32-bit programs (" + std::string(narrow.token) +
                        ") are answered with SIGSYS, whatever the " +
                        (open ? "default says" : "rules and the default say"),
                    "list " + std::string(narrow.token) + " if such programs are to run");
    });
}

void native_only(Lint& lint) {
    if (lint.profile.architectures.empty() && lint.profile.arch_map.empty())
        lint.report(Severity::note, "",
                    "no architectures are listed: the profile is for the native one of each machine only",
                    "list them: the profile then says itself what it is for");
}

// One call that does the work of many, with their arguments in memory (ipc(2), socketcall(2)).
void multiplexer(Lint& lint) {
    std::map<std::string_view, std::set<std::string>> bypassed;
    for (const auto& [name, uses] : lint.uses) {
        const bool conditional = std::any_of(
            uses.begin(), uses.end(), [&](const Lint::Use& use) { return !lint.rule_of(use).args.empty(); });
        for (const Abi abi : lint.abis)
            if (const auto by = multiplexed(abi, name); conditional && by && lint.lets_through_some(by->call))
                bypassed[by->call].insert(name);
    }
    for (const auto& [call, names] : bypassed)
        lint.report(
            Severity::warning, lint.uses.find(call)->second.front().path,
            std::string(call) + " is allowed and goes round the conditions on " +
                enumerate({names.begin(), names.end()}) +
                ": its arguments lie in memory, and it is there for 64-bit programs too where the 32-bit ABI "
                "is listed",
            "drop " + std::string(call) + "; libcs of the last years do without it");
}

void open_abi(Lint& lint) {
    for_each_narrow_relative(lint, [&](const AbiInfo& narrow) {
        if (lint.has_abi(narrow.abi))
            lint.report(Severity::note, lint.profile.arch_map.empty() ? "architectures" : "archMap",
                        std::string(narrow.token) + " is listed beside " +
                            std::string(info(narrow.native).token) + ": 32-bit programs" +
                            (narrow.abi == Abi::i386 ? ", and 64-bit ones by int 0x80," : "") +
                            " can make the allowed calls in their older forms as well",
                        "leave " + std::string(narrow.token) + " out if no 32-bit program is to run");
    });
}

void kills_a_thread(Lint& lint) {
    const auto judge = [&](Action action, const std::string& path) {
        if (action == Action::kill || action == Action::kill_thread)
            lint.report(
                Severity::note, path,
                std::string(token(action)) +
                    " ends the calling thread only: the rest of the program goes on without it, and may hang",
                "use SCMP_ACT_KILL_PROCESS, or SCMP_ACT_ERRNO");
    };
    judge(lint.profile.default_action, "defaultAction");
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        judge(lint.profile.rules[i].action, Lint::rule_path(i) + ".action");
}

}  // namespace callcensus::checks
