// A process id namespace: in it the calls return other ids than a tracer outside knows the processes by, and
// the end of its first process kills the rest.
#include "tracee.h"

enum {
    IN_FIRST = SYS_getpgid,
    IN_CHILD = SYS_getsid,
    IN_GRANDCHILD = SYS_timer_getoverrun,
    IN_THREAD = SYS_timer_delete,
    IN_KILLED = SYS_timerfd_gettime,
    CHILDREN = 3,
    GRANDCHILDREN = 2,
};

static void* in_thread(void* unused) {
    mark_times(IN_THREAD, 2);
    return unused;
}

static _Noreturn void be_first_process(void) {
    arm_alarm();
    require(getpid() == 1, "the first process has the id 1");
    mark_times(IN_FIRST, 3);
    join_thread(start_thread(in_thread, NULL));
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; ++i) {
        children[i] = fork_child();
        if (children[i] != 0) continue;
        mark_times(IN_CHILD, 2);
        for (int k = 0; k < GRANDCHILDREN; ++k) {
            if (fork_child() == 0) {
                // Adopted by the first process if the child ends before.
                mark_times(IN_GRANDCHILD, 5);
                _exit(0);
            }
        }
        _exit(0);
    }
    int ended = 0;
    while (ended < CHILDREN * (1 + GRANDCHILDREN)) {
        int status;
        if (waitpid(-1, &status, __WALL) > 0) {
            require(status == 0, "children and adopted grandchildren succeed");
            ++ended;
        } else if (errno != EINTR) {
            die("waitpid");
        }
    }

    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    if (fork_child() == 0) {
        mark(IN_KILLED);
        if (write(ends[1], "x", 1) != 1) die("write");
        for (;;) mark(IN_KILLED);
    }
    char byte;
    while (read(ends[0], &byte, 1) != 1) require(errno == EINTR, "the child to be killed gets ready");
    _exit(14);
}

int main(void) {
    begin();
    pid_t first = clone_like_fork(CLONE_NEWPID | SIGCHLD);
    if (first < 0) first = clone_like_fork(CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD);
    if (first < 0) skip("no process id namespace can be made");
    if (first == 0) be_first_process();
    print_status("first process of the namespace", wait_status(first));
    expect_call(IN_FIRST, 3);
    expect_call(IN_THREAD, 2);
    expect_call(IN_CHILD, 2 * CHILDREN);
    expect_call(IN_GRANDCHILD, 5 * CHILDREN * GRANDCHILDREN);
    expect_atleast(IN_KILLED, 1);
    expect_processes(2 + CHILDREN * (1 + GRANDCHILDREN) + 1);
    return 0;
}
