// Children made by clone3, whose flags are in memory: a plain one, one with the first, shorter structure, one
// with a pidfd, and one that sends no signal when it ends.
#include "tracee.h"

#include <linux/sched.h>

enum { FIRST_VERSION_SIZE = 64 };

static pid_t clone3_child(const struct clone_args* arguments, size_t size, long marker, int times) {
    const pid_t pid = (pid_t)syscall(SYS_clone3, arguments, size);
    if (pid != 0) return pid;
    arm_alarm();
    mark_times(marker, times);
    _exit(0);
}

int main(void) {
    begin();
    const struct clone_args plain = {.exit_signal = SIGCHLD};
    const pid_t first = clone3_child(&plain, sizeof plain, SYS_getpgid, 1);
    if (first < 0 && (errno == ENOSYS || errno == E2BIG)) skip("the kernel has no clone3, or an old one");
    if (first < 0) die("clone3");
    wait_success(first);

    const pid_t second = clone3_child(&plain, FIRST_VERSION_SIZE, SYS_getsid, 2);
    if (second < 0) die("clone3 with the shorter structure");
    wait_success(second);

    int pidfd = -1;
    const struct clone_args with_pidfd = {
        .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    const pid_t third = clone3_child(&with_pidfd, sizeof with_pidfd, SYS_timer_getoverrun, 3);
    if (third < 0) die("clone3 with a pidfd");
    siginfo_t ended = {0};
    while (waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &ended, WEXITED) != 0) {
        if (errno != EINTR) die("waitid of a pidfd");
    }
    require(ended.si_pid == third && ended.si_code == CLD_EXITED, "the pidfd is that of the child");

    const struct clone_args silent = {.exit_signal = 0};
    const pid_t fourth = clone3_child(&silent, sizeof silent, SYS_sched_get_priority_max, 4);
    if (fourth < 0) die("clone3 without an exit signal");
    wait_success(fourth);

    expect_call(SYS_getpgid, 1);
    expect_call(SYS_getsid, 2);
    expect_call(SYS_timer_getoverrun, 3);
    expect_call(SYS_sched_get_priority_max, 4);
    expect_call(SYS_clone3, 4);
    expect_processes(5);
    return 0;
}
