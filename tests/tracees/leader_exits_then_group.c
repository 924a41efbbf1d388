// The leader's thread ends with 7, then another thread ends the whole process with 3: that is the exit
// status.
#include "tracee.h"

enum { BEFORE = SYS_getpgid, AFTER = SYS_getsid };

static void* wait_for_ever(void* unused) {
    for (;;) syscall(SYS_ppoll, NULL, 0L, NULL, NULL, 0L);
    return unused;
}

static void* outlive_the_leader(void* unused) {
    while (task_state(getpid(), getpid()) != 'Z') sched_yield();
    mark_times(AFTER, 500);
    expect_call(BEFORE, 2);
    expect_call(AFTER, 500);
    expect_call(SYS_exit, 1);
    expect_call(SYS_exit_group, 1);
    expect_processes(1);
    syscall(SYS_exit_group, 3);
    return unused;
}

int main(void) {
    begin();
    mark_times(BEFORE, 2);
    start_thread(wait_for_ever, NULL);
    start_thread(outlive_the_leader, NULL);
    syscall(SYS_exit, 7);
    return TRACEE_BROKEN;
}
