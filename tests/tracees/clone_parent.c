// CLONE_PARENT gives the child to the caller's parent. A middle process does it, so that it is the first
// process which gets one more child, and not whoever started this tracee.
#include "tracee.h"

int main(void) {
    begin();
    const pid_t first = getpid();
    const pid_t middle = fork_child();
    if (middle == 0) {
        mark_times(SYS_getpgid, 3);
        const pid_t sibling = clone_like_fork(CLONE_PARENT | SIGCHLD);
        if (sibling < 0) die("clone with CLONE_PARENT");
        if (sibling == 0) {
            arm_alarm();
            mark_times(SYS_getsid, 5);
            require(getppid() == first, "the parent is the first process");
            _exit(12);
        }
        require(waitpid(sibling, NULL, __WALL) == -1 && errno == ECHILD, "the sibling is no child");
        _exit(11);
    }

    // They end in any order.
    int exit_statuses = 0;
    for (int i = 0; i < 2; ++i) {
        int status;
        while (waitpid(-1, &status, __WALL) < 0) {
            if (errno != EINTR) die("waitpid");
        }
        require(WIFEXITED(status), "both exit");
        exit_statuses += WEXITSTATUS(status);
    }
    require(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD, "there is no third child");
    printf("sum of exit statuses: %d\n", exit_statuses);
    expect_call(SYS_getpgid, 3);
    expect_call(SYS_getsid, 5);
    expect_processes(3);
    return 0;
}
