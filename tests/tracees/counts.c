// Exact counts: single calls and many, successful and failing ones, numbers that no kernel knows, and numbers
// with garbage in the high 32 bits, which the kernel ignores.
#include "tracee.h"

static long fails_with(long result, int error) { return result == -1 && errno == error; }

int main(void) {
    begin();

    mark_times(SYS_getpgid, 1);
    mark_times(SYS_getsid, 2);
    mark_times(SYS_timer_getoverrun, 10);
    mark_times(SYS_sched_get_priority_min, 1000);
    for (int i = 0; i < 7; ++i) require(syscall(SYS_sched_get_priority_max, SCHED_FIFO) > 0, "success");
    for (int i = 0; i < 5; ++i) require(fails_with(syscall(SYS_inotify_rm_watch, -1, 0), EBADF), "EBADF");

    for (int i = 0; i < 3; ++i) require(fails_with(syscall(5000L), ENOSYS), "number 5000: ENOSYS");
    for (int i = 0; i < 4; ++i) require(fails_with(syscall(-1L), ENOSYS), "number -1: ENOSYS");

    expect_call(SYS_getpgid, 1);
    expect_call(SYS_getsid, 2);
    expect_call(SYS_timer_getoverrun, 10);
    expect_call(SYS_sched_get_priority_min, 1000);
    expect_call(SYS_sched_get_priority_max, 7);
    expect_call(SYS_inotify_rm_watch, 5);
    expect_call(5000, 3);
    expect_call(-1, 4);

#if defined(__LP64__)
    for (int i = 0; i < 6; ++i) {
        const long garbage = (long)(0x12345678UL + (unsigned)i) << 32;
        require(fails_with(syscall(garbage | SYS_timerfd_gettime, -1, 0), EBADF),
                "only 32 bits are looked at");
    }
    expect_call(SYS_timerfd_gettime, 6);
#endif

    expect_processes(1);
    return 0;
}
