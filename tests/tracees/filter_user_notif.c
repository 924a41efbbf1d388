// A filter of the program's own that asks a supervisor, here another thread: it lets some calls go on to the
// kernel (which a tracer's own filter then never sees), answers some itself and denies some.
#include "own_filter.h"

#include <sys/ioctl.h>

enum {
    GOES_ON = SYS_getpgid,
    IS_ANSWERED = SYS_getsid,
    IS_DENIED = SYS_timer_getoverrun,
    EACH = 10,
    UNKNOWN_FD = -1
};

static _Atomic int listener = UNKNOWN_FD;

static void* supervise(void* unused) {
    while (atomic_load(&listener) == UNKNOWN_FD) sched_yield();
    for (int handled = 0; handled < 3 * EACH;) {
        struct seccomp_notif request;
        memset(&request, 0, sizeof request);
        if (ioctl(atomic_load(&listener), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
            // The caller may be interrupted between its call and our looking.
            if (errno == EINTR || errno == ENOENT) continue;
            die("receive from the listener");
        }
        struct seccomp_notif_resp response = {.id = request.id};
        if (request.data.nr == GOES_ON) {
            response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        } else if (request.data.nr == IS_ANSWERED) {
            response.val = 42;
        } else {
            response.error = -EXDEV;
        }
        if (ioctl(atomic_load(&listener), SECCOMP_IOCTL_NOTIF_SEND, &response) != 0) {
            if (errno == ENOENT) continue;
            die("send to the listener");
        }
        ++handled;
    }
    return unused;
}

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_USER_NOTIF);
    const pthread_t supervisor = start_thread(supervise, NULL);
    const struct verdict verdicts[] = {{GOES_ON, SECCOMP_RET_USER_NOTIF},
                                       {IS_ANSWERED, SECCOMP_RET_USER_NOTIF},
                                       {IS_DENIED, SECCOMP_RET_USER_NOTIF}};
    // Without TSYNC the thread from before remains without the filter.
    const int fd = (int)install_filter_or_skip(verdicts, 3, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    atomic_store(&listener, fd);
    for (int i = 0; i < EACH; ++i) {
        require(syscall(GOES_ON, 0) == getpgrp(), "the kernel answers");
        require(mark(IS_ANSWERED) == 42, "the supervisor answers");
        require(mark(IS_DENIED) == -1 && errno == EXDEV, "the supervisor denies");
    }
    join_thread(supervisor);
    printf("went on, was answered, was denied\n");
    expect_call(GOES_ON, EACH);
    expect_call(IS_ANSWERED, EACH);
    expect_call(IS_DENIED, EACH);
    expect_processes(1);
    return 0;
}
