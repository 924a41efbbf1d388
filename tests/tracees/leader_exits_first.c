// The leader's thread ends before another: it stays a zombie of which no wait tells, and the process goes on.
// Whose exit status becomes the process's, the leader's or the last thread's, depends on the kernel.
#include "tracee.h"

enum { BEFORE = SYS_getpgid, AFTER = SYS_getsid, IN_CHILD = SYS_timer_getoverrun };

static void* outlive_the_leader(void* unused) {
    while (task_state(getpid(), getpid()) != 'Z') sched_yield();
    mark_times(AFTER, 500);
    const pid_t child = fork_child();
    if (child == 0) {
        mark_times(IN_CHILD, 3);
        _exit(0);
    }
    wait_success(child);
    expect_call(BEFORE, 2);
    expect_call(AFTER, 500);
    expect_call(IN_CHILD, 3);
    expect_call(SYS_exit, 2);
    expect_processes(2);
    syscall(SYS_exit, 11);
    return unused;
}

int main(void) {
    begin();
    mark_times(BEFORE, 2);
    start_thread(outlive_the_leader, NULL);
    syscall(SYS_exit, 7);
    return TRACEE_BROKEN;
}
