#include "policy/runtime_calls.hpp"

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
// exec; tests/container holds both).
struct Row {
    RuntimeSet runtime;
    bool only_for_exec;     // needed by `exec` into a running container only
    bool only_where_kills;  // the runtime goes on when the call fails
    std::string_view names;
};
constexpr std::array rows{
    // crun. Without no_new_privs it loads the filter before it drops privileges, hence the set*id calls.
    // `select` alone
    // was not measured: crun's source waits by select(), which glibc turns into pselect6 and other libcs need
    // not.
    Row{RuntimeSet::crun, false, false,
        "capset execve prctl pselect6 read rt_sigaction rt_sigprocmask select setresgid setresuid write"},
    Row{RuntimeSet::crun, false, true, "close close_range"},
    Row{RuntimeSet::crun, true, false, "fchown fstat openat setgroups statx"},
    Row{RuntimeSet::crun, true, true, "ioctl umask"},
    // runc, on the thread that loads the filter and becomes the command.
    Row{RuntimeSet::runc, false, false,
        "capget capset chdir close execve faccessat2 fchown fstat fstatfs getcwd getdents64 getppid newfstatat openat openat2 prctl read setgid setgroups setuid statx write"},
    Row{RuntimeSet::runc, false, true, "close_range fcntl"},
    Row{RuntimeSet::runc, true, true, "faccessat fsconfig fsmount fsopen open_tree uname"},
    // Go's scheduler, signals and memory, on that thread by chance: futex in more than half of the runs,
    // rt_sigreturn in 2 to 20 of a hundred.
    Row{RuntimeSet::runc, false, false,
        "epoll_ctl epoll_pwait futex getpid madvise mmap munmap nanosleep rt_sigreturn sched_yield tgkill"},
};

}  // namespace

std::vector<std::string> runtime_calls(RuntimeSet runtime, bool container_exec, bool denial_kills) {
    std::set<std::string> names;
    for (const Row& row : rows) {
        const bool wanted = runtime == RuntimeSet::any || runtime == row.runtime;
        if (wanted && (container_exec || !row.only_for_exec) && (denial_kills || !row.only_where_kills))
            for (const std::string_view name : words_of(row.names)) names.emplace(name);
    }
    return {names.begin(), names.end()};
}

}  // namespace callcensus
