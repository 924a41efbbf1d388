// What becomes of the programs under a profile, and of the container before them.
#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>

#include "base/words.hpp"
#include "callcensus/describe.hpp"
#include "callcensus/families.hpp"
#include "callcensus/risk.hpp"
#include "policy/lint_checks.hpp"
#include "policy/runtime_calls.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

// Calls that a libc tries first and goes on from when the kernel does not know them, and only then: it takes
// any other error for the call's own. Where a denial kills there is nothing to go on from.
struct Fallback {
    std::string_view name;
    std::string_view older;  // any of them does the job
    bool from_any_error;
    std::string_view user;
};
constexpr std::array fallbacks{
    // sysdeps/unix/sysv/linux of glibc 2.36: clone-internal.c, faccessat.c, closefrom.c, statx.c, preadv2.c,
    // pwritev2.c, fexecve.c; fchmodat.c of 2.39; clock_gettime.c and its like on 32-bit ABIs.
    Fallback{"clone3", "clone", false, "glibc 2.34 starts threads and processes by it"},
    Fallback{"faccessat2", "faccessat access", false, "glibc 2.33 and musl 1.2 answer faccessat() by it"},
    Fallback{"fchmodat2", "fchmodat", false, "glibc 2.39 answers fchmodat() by it"},
    Fallback{"close_range", "close", true, "glibc 2.34 closes descriptors of new processes by it"},
    Fallback{"statx", "newfstatat fstatat64 stat stat64", false, "ls, Rust and Node look at files by it"},
    Fallback{"openat2", "openat", false, "runc, systemd and libpathrs open files by it"},
    Fallback{"preadv2", "preadv", false, "glibc 2.26 answers preadv2() by it"},
    Fallback{"pwritev2", "pwritev", false, "glibc 2.26 answers pwritev2() by it"},
    Fallback{"execveat", "execve", false, "glibc 2.27 answers fexecve() by it"},
    Fallback{"clock_gettime64", "clock_gettime", false, "glibc 2.31 and musl 1.2 read clocks by it"},
    Fallback{"clock_nanosleep_time64", "clock_nanosleep", false, "glibc 2.31 and musl 1.2 sleep by it"},
    Fallback{"futex_time64", "futex", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"ppoll_time64", "ppoll", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"pselect6_time64", "pselect6 _newselect", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"utimensat_time64", "utimensat", false, "glibc 2.34 and musl 1.2 set times by it"},
};

bool gives_enosys(const Profile& profile) {
    return default_decision(profile) == Decision{Action::errno_, ENOSYS};
}

// The default denies in a way that this caller does not survive.
bool breaks(const Lint& lint, const Fallback& fallback) {
    if (!lint.denies_by_default() || gives_enosys(lint.profile)) return false;
    const bool only_an_error = lint.profile.default_action == Action::errno_;
    if (only_an_error && fallback.from_any_error) return false;
    if (lint.names(fallback.name)) return false;
    const auto older = words_of(fallback.older);
    return std::any_of(older.begin(), older.end(),
                       [&](std::string_view name) { return lint.lets_through_some(name); });
}

// runc answers ENOSYS for numbers above the highest one that the profile names on an ABI.
struct Highest {
    std::uint32_t number = 0;
    std::string name;
    std::string path;
};
Highest highest_named(const Lint& lint, Abi abi) {
    Highest highest;
    for (const auto& [name, uses] : lint.uses)
        if (const auto number = syscall_number(abi, name); number && *number >= highest.number)
            highest = {*number, name, uses.front().path};
    return highest;
}

bool exists(const Lint& lint, std::string_view name) {
    return std::any_of(lint.abis.begin(), lint.abis.end(),
                       [&](Abi abi) { return syscall_number(abi, name).has_value(); });
}

// The ABIs of 32-bit programs on the machines that the profile is for; x32 is no such ABI.
template <class Function>
void for_each_narrow_relative(const Lint& lint, Function function) {
    for (const AbiInfo& row : all_abis())
        if (row.native != row.abi && row.abi != Abi::x32 && lint.has_abi(row.native)) function(row);
}

std::string default_path(const Lint& lint) {
    return lint.text.places.count("defaultErrnoRet") != 0 ? "defaultErrnoRet" : "defaultAction";
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

void denied_fallback(Lint& lint) {
    // Under runc this holds only below the highest number that is named: see enosys_trap().
    const std::string who = lint.chosen({Consumer::crun, Consumer::podman, Consumer::spo});
    if (who.empty()) return;
    for (const Fallback& fallback : fallbacks)
        if (breaks(lint, fallback) && exists(lint, fallback.name))
            lint.report(Severity::warning, default_path(lint),
                        std::string(fallback.name) + " " + predicate(default_decision(lint.profile)) +
                            ", from which there is no way back to older calls (" + who +
                            "): " + std::string(fallback.user),
                        "allow it, deny it with errno 38 (ENOSYS), or make that the default");
}

void enosys_trap(Lint& lint) {
    const std::string who = lint.chosen({Consumer::docker, Consumer::runc, Consumer::containerd});
    if (who.empty()) return;
    for (const Abi abi : lint.abis) {
        const Highest highest = highest_named(lint, abi);
        Strings lost;
        for (const Fallback& fallback : fallbacks)
            if (const auto number = syscall_number(abi, fallback.name);
                number && *number < highest.number && breaks(lint, fallback))
                lost.emplace_back(fallback.name);
        if (lost.empty()) continue;
        lint.report(Severity::warning, highest.path,
                    "naming " + highest.name + " makes runc (" + who + ") answer " + enumerate(lost) +
                        " by the default (" + describe(default_decision(lint.profile)) +
                        ") instead of ENOSYS, which it does above the highest number named only",
                    "name " + enumerate(lost) + " too: allow, or deny with errno 38 (ENOSYS)");
        return;
    }
}

void missing_end(Lint& lint) {
    if (!lint.denies_by_default()) return;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> needed{{
        {"exit", "threads end by it"},
        {"exit_group", "programs end by it, and crash without"},
        {"rt_sigreturn", "signal handlers return by it, and crash without"},
        {"sigreturn", "signal handlers of 32-bit programs return by it, and crash without"},
        {"restart_syscall", "the kernel makes it by itself after a stop"},
    }};
    for (const auto& [name, why] : needed)
        if (exists(lint, name) && !lint.lets_through_some(name))
            lint.report(Severity::warning, "syscalls",
                        std::string(name) + " is not allowed: " + std::string(why), "allow it");
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

void missing_runtime_calls(Lint& lint) {
    if (!lint.denies_by_default()) return;
    const bool kills = lint.profile.default_action != Action::errno_;
    const auto not_allowed = [&](Consumer consumer, bool no_new_privileges) {
        Strings names;
        for (const std::string& name : runtime_calls(
                 facts_of(consumer).runtime, {.no_new_privileges = no_new_privileges, .denial_kills = kills}))
            if (exists(lint, name) && !lint.lets_through_some(name)) names.push_back(name);
        return names;
    };
    struct Missing {
        Strings names;
        bool also_with_no_new_privileges = false;
        Strings consumers;
    };
    // Consumers that lack the same are named together.
    std::vector<Missing> missing;
    for (const Consumer consumer : lint.options.consumers) {
        const Strings names = not_allowed(consumer, false);
        if (names.empty()) continue;
        const bool also = !not_allowed(consumer, true).empty();
        auto same = std::find_if(missing.begin(), missing.end(), [&](const Missing& row) {
            return row.names == names && row.also_with_no_new_privileges == also;
        });
        if (same == missing.end()) same = missing.insert(missing.end(), Missing{names, also, {}});
        same->consumers.emplace_back(to_string(consumer));
    }
    for (const auto& [names, also_with_no_new_privileges, consumers] : missing)
        lint.report(Severity::warning, "syscalls",
                    "the container may not start with " + enumerate(consumers) +
                        (also_with_no_new_privileges ? "" : " unless it has no_new_privileges") +
                        ": the runtime itself makes " + enumerate(names) +
                        " under the filter, and that is not allowed",
                    std::string("allow it, or derive the profile with --runtime") +
                        (also_with_no_new_privileges ? "" : " and without --no-new-privileges"));
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
