#include "meaning/runtime_calls.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/words.hpp"

namespace callcensus {
namespace {

// Measured on Debian 12, kernel 6.18, with runc 1.1.5, 1.1.15, 1.2.9, 1.3.6, 1.4.3 and 1.5.1 and
// crun 1.8.1, 1.21 and 1.28: with one name at a time taken out of the profile, once where a denial fails the
// call and once where it kills, with and without no_new_privs, for the first process and for `exec`; then the
// united sets in hundreds of repeated runs. Rows are for all of these versions together. fchown was measured
// again with ENOSYS, the errno that our profiles deny with: both runtimes go on when fchown of a standard
// stream gives EPERM, and give up when it gives ENOSYS (runc 1.1.5 as another user than root, crun 1.8.1 for
// exec; tests/container holds both). scripts/measure-runtimes measures again with the runtimes that are
// installed.

// When a row's names are needed.
enum : unsigned {
    always = 0,
    for_exec = 1,                   // by `exec` into a running container only
    where_denial_kills = 2,         // the runtime goes on when the call fails
    without_no_new_privileges = 4,  // the filter is loaded while privileges are still to be dropped
};
enum class Needed : bool {
    by_some,   // versions or starts; or to the end that all goes well
    by_every,  // version that was measured, whenever it starts a container so: it does not start without
};
struct RuntimeRow {
    RuntimeSet runtime;
    Needed needed;
    unsigned when;  // all of these must hold
    std::string_view names;
};
constexpr auto crun = RuntimeSet::crun;
constexpr auto runc = RuntimeSet::runc;
constexpr auto by_some = Needed::by_some;
constexpr auto by_every = Needed::by_every;
constexpr std::array runtime_rows{
    // crun. `select` alone was not measured: crun's source waits by select(), which glibc turns into pselect6
    // and other libcs need not. It waits where containers are created first and started later.
    RuntimeRow{crun, by_every, always, "execve"},
    RuntimeRow{crun, by_every, where_denial_kills, "close"},
    RuntimeRow{crun, by_some, where_denial_kills, "close_range"},
    RuntimeRow{crun, by_every, without_no_new_privileges,
               "capset prctl rt_sigaction rt_sigprocmask setresgid setresuid write"},
    RuntimeRow{crun, by_some, without_no_new_privileges, "pselect6 read select"},
    RuntimeRow{crun, by_some, for_exec, "write"},
    RuntimeRow{crun, by_some, for_exec | where_denial_kills, "umask"},
    RuntimeRow{crun, by_some, for_exec | without_no_new_privileges, "fchown fstat openat setgroups statx"},
    RuntimeRow{crun, by_some, for_exec | where_denial_kills | without_no_new_privileges, "ioctl"},
    // runc, on the thread that loads the filter and becomes the command.
    RuntimeRow{runc, by_every, always, "close execve fstatfs getdents64 openat write"},
    RuntimeRow{runc, by_some, always, "fstat openat2 statx"},
    RuntimeRow{runc, by_some, where_denial_kills, "fcntl"},
    RuntimeRow{runc, by_every, without_no_new_privileges,
               "capget capset chdir fstat getcwd getppid newfstatat prctl read setgid setgroups setuid"},
    RuntimeRow{runc, by_some, without_no_new_privileges, "faccessat2 fchown"},
    RuntimeRow{runc, by_every, where_denial_kills | without_no_new_privileges, "faccessat2"},
    RuntimeRow{runc, by_some, where_denial_kills | without_no_new_privileges, "close_range"},
    RuntimeRow{runc, by_some, for_exec | where_denial_kills | without_no_new_privileges,
               "faccessat fsconfig fsmount fsopen open_tree uname"},
    // Go's scheduler, signals and memory, on that thread by chance: futex in more than half of the runs,
    // rt_sigreturn in 2 to 20 of a hundred.
    RuntimeRow{
        runc, by_some, always,
        "epoll_ctl epoll_pwait futex getpid madvise mmap munmap nanosleep rt_sigreturn sched_yield tgkill"},
};

unsigned what_holds(const ContainerUse& use) {
    unsigned holds = always;
    if (use.exec) holds |= for_exec;
    if (use.denial_kills) holds |= where_denial_kills;
    if (!use.no_new_privileges) holds |= without_no_new_privileges;
    return holds;
}

std::set<std::string> needed_by(RuntimeSet runtime, Needed least, unsigned holds) {
    std::set<std::string> names;
    for (const RuntimeRow& row : runtime_rows) {
        const bool wanted = runtime == RuntimeSet::any || runtime == row.runtime;
        if (wanted && row.needed >= least && (row.when & ~holds) == 0)
            for (const std::string_view name : words_of(row.names)) names.emplace(name);
    }
    return names;
}

}  // namespace

bool denial_kills(Action action) {
    return action == Action::kill || action == Action::kill_process || action == Action::kill_thread ||
           action == Action::trap;
}

std::vector<std::string> runtime_calls(RuntimeSet runtime, ContainerUse use) {
    const auto names = needed_by(runtime, by_some, what_holds(use));
    return {names.begin(), names.end()};
}

bool stops_every_start(RuntimeSet runtime, ContainerUse use, const std::string& denied) {
    use.exec = false;
    const auto needs = [&](RuntimeSet one) {
        return needed_by(one, by_every, what_holds(use)).count(denied) != 0;
    };
    return runtime == RuntimeSet::any ? needs(runc) && needs(crun) : needs(runtime);
}

}  // namespace callcensus
