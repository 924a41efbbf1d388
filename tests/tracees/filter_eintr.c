// A filter of the program's own that answers calls with EINTR, as if they had been interrupted: whoever makes
// interrupted calls again must come to an end.
#include "own_filter.h"

#include <sys/epoll.h>
#include <sys/socket.h>

enum { TIMES = 3 };

int main(void) {
    begin();
    const struct verdict verdicts[] = {{SYS_epoll_pwait, SECCOMP_RET_ERRNO | EINTR},
                                       {SYS_recvfrom, SECCOMP_RET_ERRNO | EINTR}};
    install_filter_or_skip(verdicts, 2, 0);
    struct epoll_event event;
    char byte;
    for (int i = 0; i < TIMES; ++i) {
        errno = 0;
        require(syscall(SYS_epoll_pwait, -1, &event, 1, -1, NULL, 0) == -1 && errno == EINTR,
                "the filter answers epoll_pwait");
        errno = 0;
        require(syscall(SYS_recvfrom, -1, &byte, 1, 0, NULL, NULL) == -1 && errno == EINTR,
                "the filter answers recvfrom");
        require(mark(SYS_getsid) == -1 && errno == ESRCH, "the kernel answers");
    }
    expect_atleast(SYS_epoll_pwait, TIMES);
    expect_atleast(SYS_recvfrom, TIMES);
    expect_call(SYS_getsid, TIMES);
    expect_processes(1);
    return 0;
}
