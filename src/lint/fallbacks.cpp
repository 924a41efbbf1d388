#include "lint/fallbacks.hpp"

#include <algorithm>
#include <array>

namespace callcensus {
namespace {

constexpr std::string_view time64_user =
    "libcs with 64-bit time make such calls first on 32-bit ABIs (glibc 2.34, musl 1.2)";

// sysdeps/unix/sysv/linux of glibc 2.36: clone-internal.c, faccessat.c, closefrom.c, statx.c, preadv2.c,
// pwritev2.c, fexecve.c, renameat2.c, rseq-internal.h; fchmodat.c of 2.39;
// clock_gettime.c and its like on 32-bit ABIs. mv: gnulib's renameatu.c.
constexpr std::array fallback_table{
    Fallback{"clone3", "clone", false, "glibc 2.34 starts threads and processes by it"},
    Fallback{"faccessat2", "faccessat access", false, "glibc 2.33 and musl 1.2 answer faccessat() by it"},
    Fallback{"fchmodat2", "fchmodat", false, "glibc 2.39 answers fchmodat() by it"},
    Fallback{"close_range", "close", true, "glibc 2.34 closes descriptors of new processes by it"},
    Fallback{"statx", "newfstatat fstatat64 stat stat64", false, "ls, Rust and Node look at files by it"},
    Fallback{"openat2", "openat", false, "runc, systemd and libpathrs open files by it"},
    Fallback{"renameat2", "renameat rename", false, "mv of coreutils renames by it"},
    Fallback{"preadv2", "preadv", false, "glibc 2.26 answers preadv2() by it"},
    Fallback{"pwritev2", "pwritev", false, "glibc 2.26 answers pwritev2() by it"},
    Fallback{"execveat", "execve", false, "glibc 2.27 answers fexecve() by it"},
    Fallback{"epoll_pwait2", "epoll_pwait epoll_wait", false,
             "programs with timeouts below a millisecond wait by it"},
    Fallback{"futex_waitv", "futex", false, "Wine and games wait for several futexes by it"},
    Fallback{"rseq", "", true, "glibc 2.35 registers every thread by it"},
    Fallback{"clock_gettime64", "clock_gettime", false, "glibc 2.31 and musl 1.2 read clocks by it"},
    Fallback{"clock_nanosleep_time64", "clock_nanosleep", false, "glibc 2.31 and musl 1.2 sleep by it"},
    Fallback{"futex_time64", "futex", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"ppoll_time64", "ppoll", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"pselect6_time64", "pselect6 _newselect", false, "glibc 2.34 and musl 1.2 wait by it"},
    Fallback{"utimensat_time64", "utimensat", false, "glibc 2.34 and musl 1.2 set times by it"},
    Fallback{"clock_getres_time64", "clock_getres", false, time64_user},
    Fallback{"clock_settime64", "clock_settime", false, time64_user},
    Fallback{"clock_adjtime64", "clock_adjtime", false, time64_user},
    Fallback{"timer_gettime64", "timer_gettime", false, time64_user},
    Fallback{"timer_settime64", "timer_settime", false, time64_user},
    Fallback{"timerfd_gettime64", "timerfd_gettime", false, time64_user},
    Fallback{"timerfd_settime64", "timerfd_settime", false, time64_user},
    Fallback{"recvmmsg_time64", "recvmmsg", false, time64_user},
    Fallback{"mq_timedsend_time64", "mq_timedsend", false, time64_user},
    Fallback{"mq_timedreceive_time64", "mq_timedreceive", false, time64_user},
    Fallback{"semtimedop_time64", "semtimedop ipc", false, time64_user},
    Fallback{"rt_sigtimedwait_time64", "rt_sigtimedwait", false, time64_user},
    Fallback{"sched_rr_get_interval_time64", "sched_rr_get_interval", false, time64_user},
};

}  // namespace

std::span<const Fallback> all_fallbacks() { return fallback_table; }

const Fallback* find_fallback(std::string_view name) {
    const auto* const row = std::find_if(fallback_table.begin(), fallback_table.end(),
                                         [&](const Fallback& it) { return it.name == name; });
    return row == fallback_table.end() ? nullptr : row;
}

}  // namespace callcensus
