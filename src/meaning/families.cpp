#include "callcensus/families.hpp"

#include <algorithm>
#include <array>

#include "base/words.hpp"

namespace callcensus {
namespace {

// "measured": one C program that calls each function of the libc once, under strace 6.1 on Linux 6.18, built
// for x86_64 with glibc 2.36 and musl 1.2.3, and for i386 with glibc 2.36 (with 32-bit and 64-bit time).
// Versions of the kernel are those of the manual pages (man-pages 6). Left out: sigreturn (derive allows it
// as unseen), waitid for wait4 (another result), umount for umount2 and the mount calls (dangerous), and what
// only a CPU without the older call needs (setitimer for alarm, ppoll for pause on aarch64).
struct FamilyRow {
    std::string_view names;     // of several families with the same reason, a bar between
    std::string_view siblings;  // empty: the same as `names`
    std::string_view reason;
    std::string_view source;
};

constexpr std::string_view unlink_reason =
    "libc removes files by unlink and directories by rmdir, coreutils and Go both by unlinkat";
constexpr std::string_view limits_reason =
    "libc calls prlimit64 (which reaches other processes of the user, too), on i386 also ugetrlimit, older ones getrlimit and setrlimit";
constexpr std::string_view signals_reason =
    "on 32-bit ABIs programs of old libcs make the call without rt_, every libc of today the one with it";

constexpr std::string_view socket_calls =
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketpair";
constexpr std::string_view ipc_calls =
    "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget";

constexpr std::array family_rows{
    FamilyRow{
        "access faccessat faccessat2", "",
        "glibc (2.33) and musl call faccessat2 (Linux 5.8) for faccessat and fall back; access is access where the ABI has it",
        "measured; glibc, sysdeps/unix/sysv/linux/faccessat.c"},
    FamilyRow{
        "creat open openat openat2", "",
        "glibc opens by openat and creat, musl by open; newer programs by openat2 (Linux 5.6), with a fallback to openat",
        "measured; openat2(2)"},
    FamilyRow{
        "fstat fstat64 fstatat64 lstat lstat64 newfstatat stat stat64 statx", "",
        "glibc calls newfstatat (2.33 also for fstat), older ones and musl stat, lstat, fstat; on 32-bit ABIs statx (Linux 4.11) or stat64",
        "measured; glibc, sysdeps/unix/sysv/linux/fstat64.c"},
    FamilyRow{
        "link linkat | mkdir mkdirat | mknod mknodat | readlink readlinkat | rename renameat renameat2 | symlink symlinkat",
        "", "libc calls the older form where the ABI has it, coreutils and Go the one with -at",
        "measured; Go, src/syscall/syscall_linux.go"},
    FamilyRow{"rmdir unlink", "unlinkat", unlink_reason, "measured; unlink(2)"},
    FamilyRow{"unlinkat", "rmdir unlink", unlink_reason, "measured; unlink(2)"},
    FamilyRow{
        "chmod fchmodat fchmodat2", "",
        "without following links glibc calls chmod on /proc/self/fd and musl fchmodat, newer ones fchmodat2 (Linux 6.6)",
        "measured; chmod(2)"},
    FamilyRow{"chown chown32 fchownat lchown lchown32 | fchown fchown32", "",
              "on 32-bit ABIs libc calls the one with 32-bit ids, coreutils and Go fchownat",
              "measured; chown(2)"},
    FamilyRow{
        "futimesat utime utimensat utimensat_time64 utimes", "",
        "libc calls utimensat for all of them, on 32-bit ABIs utimensat_time64 (Linux 5.1), older ones utime and utimes",
        "measured; utime(2)"},
    FamilyRow{"getdents getdents64", "", "libc calls getdents64, older ones on 64-bit ABIs getdents",
              "measured; getdents(2)"},
    FamilyRow{
        "close close_range", "",
        "closefrom and newer programs close many descriptors by one close_range (Linux 5.9), others by many close",
        "measured; close_range(2)"},
    FamilyRow{"read readv | write writev", "",
              "stdio calls readv and writev in musl, read and write in glibc",
              "measured; musl, src/stdio/__stdio_read.c and __stdio_write.c"},
    FamilyRow{"preadv preadv2 | pwritev pwritev2", "",
              "libc calls the newer one (Linux 4.6) where flags are asked for, and falls back without",
              "readv(2)"},
    FamilyRow{
        "clone clone3 fork vfork", "",
        "glibc forks by clone, musl by fork; threads by clone3 first (glibc 2.34), else clone. clone and clone3 can also ask for namespaces",
        "measured; glibc, sysdeps/unix/sysv/linux/clone-internal.c; musl, src/process/_Fork.c"},
    FamilyRow{"wait4 waitpid", "", "libc calls wait4, old programs on 32-bit ABIs waitpid",
              "measured; wait4(2)"},
    FamilyRow{"tgkill tkill", "", "raise and pthread_kill call tgkill in glibc, tkill in musl",
              "measured; musl, src/signal/raise.c"},
    FamilyRow{"getpgid getpgrp", "",
              "getpgrp is getpgid in musl (which tells of other processes, too), getpgrp in glibc",
              "measured"},
    FamilyRow{
        "dup2 dup3 | epoll_create epoll_create1 | eventfd eventfd2 | inotify_init inotify_init1 | pipe pipe2 | signalfd signalfd4",
        "",
        "the newer form takes flags: glibc calls pipe2, epoll_create, inotify_init, musl pipe, epoll_create1, inotify_init1, Go dup3",
        "measured; Go, src/syscall/syscall_linux.go"},
    FamilyRow{"accept accept4", "",
              "the newer form takes flags: libc calls accept where the ABI has it, Go and Rust accept4",
              "measured; accept(2)"},
    FamilyRow{
        "epoll_pwait epoll_pwait2 epoll_wait", "",
        "glibc waits by epoll_wait, musl and Go by epoll_pwait, newer programs by epoll_pwait2 (Linux 5.11)",
        "measured; epoll_wait(2)"},
    FamilyRow{
        "poll ppoll ppoll_time64", "",
        "libc calls poll where the ABI has it, and ppoll where signals count, on 32-bit ABIs as ppoll_time64 (Linux 5.1)",
        "measured; poll(2)"},
    FamilyRow{
        "_newselect pselect6 pselect6_time64 select", "",
        "select is pselect6 in glibc, select or _newselect in musl, on 32-bit ABIs pselect6_time64 (Linux 5.1)",
        "measured; select(2)"},
    FamilyRow{
        "clock_nanosleep clock_nanosleep_time64 nanosleep", "",
        "nanosleep is clock_nanosleep in glibc (2.31), nanosleep in musl, on 32-bit ABIs clock_nanosleep_time64 (Linux 5.1)",
        "measured"},
    FamilyRow{
        "adjtimex clock_adjtime clock_adjtime64", "",
        "adjtimex is clock_adjtime in glibc (2.31), on 32-bit ABIs clock_adjtime64 (Linux 5.1), adjtimex in musl",
        "measured"},
    FamilyRow{
        "clock_settime clock_settime64 settimeofday stime", "",
        "setting the clock is clock_settime in libcs of today, on 32-bit ABIs clock_settime64 (Linux 5.1)",
        "glibc, NEWS for 2.31; clock_getres(2)"},
    FamilyRow{
        "semop semtimedop semtimedop_time64", "",
        "semop is semtimedop in glibc (2.31), on 32-bit ABIs semtimedop_time64 (Linux 5.1), semop in musl",
        "measured; glibc, sysdeps/unix/sysv/linux/semop.c"},
    FamilyRow{"recv recvfrom | send sendto", "",
              "libc calls the longer form for both, old programs on ABIs that have it the shorter one",
              "measured; recv(2)"},
    FamilyRow{"getrlimit ugetrlimit", "getrlimit prlimit64 ugetrlimit", limits_reason,
              "measured; getrlimit(2)"},
    FamilyRow{"setrlimit", "prlimit64", limits_reason, "measured; getrlimit(2)"},
    FamilyRow{"prlimit64", "getrlimit setrlimit ugetrlimit", limits_reason, "measured; getrlimit(2)"},
    FamilyRow{
        "_llseek lseek | fadvise64 fadvise64_64 | fcntl fcntl64 | fstatfs fstatfs64 | ftruncate ftruncate64 | mmap mmap2 | sendfile sendfile64 | statfs statfs64 | truncate truncate64",
        "",
        "on 32-bit ABIs libc calls the one for large files, programs built without support for them the other",
        "measured; syscalls(2)"},
    FamilyRow{
        "getegid getegid32 | geteuid geteuid32 | getgid getgid32 | getgroups getgroups32 | getresgid getresgid32 | getresuid getresuid32 | getuid getuid32 | setfsgid setfsgid32 | setfsuid setfsuid32 | setgid setgid32 | setgroups setgroups32 | setregid setregid32 | setresgid setresgid32 | setresuid setresuid32 | setreuid setreuid32 | setuid setuid32",
        "",
        "on 32-bit ABIs libc calls the one with 32-bit ids (Linux 2.4), old programs the one with 16-bit ids",
        "syscalls(2)"},
    FamilyRow{
        "clock_getres clock_getres_time64 | clock_gettime clock_gettime64 | futex futex_time64 | io_pgetevents io_pgetevents_time64 | mq_timedreceive mq_timedreceive_time64 | mq_timedsend mq_timedsend_time64 | recvmmsg recvmmsg_time64 | rt_sigtimedwait rt_sigtimedwait_time64 | sched_rr_get_interval sched_rr_get_interval_time64 | timer_gettime timer_gettime64 | timer_settime timer_settime64 | timerfd_gettime timerfd_gettime64 | timerfd_settime timerfd_settime64",
        "",
        "on 32-bit ABIs newer libcs call the one with 64-bit time (Linux 5.1) and fall back, older ones the other",
        "measured; syscalls(2)"},
    FamilyRow{"sigaction", "rt_sigaction", signals_reason, "sigaction(2)"},
    FamilyRow{"sigpending", "rt_sigpending", signals_reason, "sigpending(2)"},
    FamilyRow{"sigprocmask", "rt_sigprocmask", signals_reason, "sigprocmask(2)"},
    FamilyRow{"sigsuspend", "rt_sigsuspend", signals_reason, "sigsuspend(2)"},
    // Not the other way round: of these libseccomp makes the part of socketcall or ipc itself.
    FamilyRow{
        "socketcall", socket_calls,
        "on i386, s390 and PowerPC older libcs make every socket call by socketcall, newer ones each directly (Linux 4.3)",
        "socketcall(2)"},
    FamilyRow{
        "ipc", ipc_calls,
        "on i386, s390 and PowerPC older libcs make every System V IPC call by ipc, newer ones each directly (Linux 5.1)",
        "ipc(2)"},
};

std::vector<Family> expand() {
    std::vector<Family> families;
    for (const FamilyRow& row : family_rows) {
        std::vector<std::string_view> names;
        const auto finish = [&] {
            families.push_back(
                {names, row.siblings.empty() ? names : words_of(row.siblings), row.reason, row.source});
            names.clear();
        };
        for (const std::string_view word : words_of(row.names))
            if (word == "|")
                finish();
            else
                names.push_back(word);
        finish();
    }
    return families;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Directly, or as a part of socketcall or ipc: libseccomp makes of one name the rules for both ways.
}  // namespace

std::span<const Family> all_families() {
    static const std::vector<Family> families = expand();
    return families;
}

std::vector<const Family*> families_of(std::string_view call) {
    std::vector<const Family*> families;
    for (const Family& family : all_families())
        if (contains(family.names, call)) families.push_back(&family);
    return families;
}

std::vector<Siblings> siblings(const std::set<std::string>& observed, const std::set<Abi>& abis) {
    struct FamilyRow {
        std::set<std::string> names, of;
        std::string_view reason;
    };
    std::vector<FamilyRow> found;
    for (const Family& family : all_families()) {
        FamilyRow here{{}, {}, family.reason};
        for (const std::string_view name : family.siblings)
            if (observed.count(std::string(name)) == 0 && can_be_made_on_any(abis, name))
                here.names.emplace(name);
        for (const std::string_view name : family.names)
            if (observed.count(std::string(name)) != 0) here.of.emplace(name);
        if (here.names.empty() || here.of.empty()) continue;
        auto same = std::find_if(found.begin(), found.end(),
                                 [&](const FamilyRow& row) { return row.reason == here.reason; });
        if (same == found.end()) {
            found.push_back(std::move(here));
            continue;
        }
        same->names.merge(here.names);
        same->of.merge(here.of);
    }
    std::vector<Siblings> rows_of_reasons;
    for (const FamilyRow& row : found)
        rows_of_reasons.push_back(
            {{row.names.begin(), row.names.end()}, {row.of.begin(), row.of.end()}, row.reason});
    return rows_of_reasons;
}

}  // namespace callcensus
