// A daemon: forked twice, in a session of its own, adopted by someone else, and making calls after the first
// process has ended. It keeps stdout open, so that whoever reads to the end of stdout has waited for it.
#include "tracee.h"

#include <poll.h>

enum { IN_MIDDLE = SYS_getpgid, FIRST_ALIVE = SYS_getsid, FIRST_ENDED = SYS_timer_getoverrun };

/// Waits until the pipe has no writer left and, where the kernel has pidfds, the process has ended
/// altogether.
static void wait_for_end(int pipe_end, int pidfd) {
    char byte;
    while (read(pipe_end, &byte, 1) < 0) {
        if (errno != EINTR) die("read");
    }
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    while (pidfd >= 0 && poll(&ended, 1, -1) < 0) {
        if (errno != EINTR) die("poll of a pidfd");
    }
}

int main(void) {
    begin();
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    const int pidfd = (int)syscall(434L /* pidfd_open, the same number everywhere */, getpid(), 0);

    const pid_t middle = fork_child();
    if (middle == 0) {
        close(ends[1]);
        if (setsid() < 0) die("setsid");
        mark_times(IN_MIDDLE, 3);
        if (fork_child() == 0) {
            mark_times(FIRST_ALIVE, 4);
            wait_for_end(ends[0], pidfd);
            mark_times(FIRST_ENDED, 500);
            // A tracer that is a subreaper would be seen here.
            printf("the daemon was adopted by %s\n", getppid() == 1 ? "process 1" : "another process");
            _exit(23);
        }
        _exit(0);
    }
    wait_success(middle);
    expect_call(IN_MIDDLE, 3);
    expect_call(FIRST_ALIVE, 4);
    expect_call(FIRST_ENDED, 500);
    expect_processes(3);
    return 5;
}
