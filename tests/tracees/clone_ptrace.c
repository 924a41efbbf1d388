// CLONE_PTRACE gives the child to the parent's tracer, without any event that announces it. Without a tracer
// it means nothing.
#include "tracee.h"

int main(void) {
    begin();
    for (int i = 0; i < 10; ++i) {
        const pid_t pid = clone_like_fork(CLONE_PTRACE | SIGCHLD);
        if (pid < 0) die("clone with CLONE_PTRACE");
        if (pid == 0) {
            arm_alarm();
            mark_times(SYS_getpgid, 5);
            const pid_t grandchild = fork_child();
            if (grandchild == 0) {
                mark_times(SYS_getsid, 3);
                _exit(0);
            }
            wait_success(grandchild);
            _exit(0);
        }
        wait_success(pid);
    }
    expect_call(SYS_getpgid, 50);
    expect_call(SYS_getsid, 30);
    expect_processes(21);
    return 0;
}
