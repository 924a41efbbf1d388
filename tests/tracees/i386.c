// A 32-bit process: calls by int 0x80, and by libc, which goes through the vDSO to sysenter or syscall.
#include "tracee.h"

#if !defined(__i386__)
#error "to be compiled with -m32"
#endif

static void* in_thread(void* unused) {
    mark_times(SYS_timer_getoverrun, 4);
    return unused;
}

int main(void) {
    begin();
    for (int i = 0; i < 5; ++i) int80(SYS_getpgid, UINT32_MAX, 0, 0);
    mark_times(SYS_getsid, 6);
    join_thread(start_thread(in_thread, NULL));

    const pid_t child = fork_child();
    if (child == 0) {
        mark_times(SYS_sched_get_priority_max, 7);
        _exit(0);
    }
    wait_success(child);

    expect_call(SYS_getpgid, 5);
    expect_call(SYS_getsid, 6);
    expect_call(SYS_timer_getoverrun, 4);
    expect_call(SYS_sched_get_priority_max, 7);
    // Numbers that would be these calls in a 64-bit process:
    expect_absent_of("x86_64", SYS_getpgid);
    expect_absent_of("x86_64", SYS_getsid);
    expect_processes(2);
    return 0;
}
