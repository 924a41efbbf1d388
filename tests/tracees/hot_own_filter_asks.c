// Filters of the program's own that come when it is hot and ask somebody about calls: a tracer (there is none
// that answers, so ENOSYS it is) or a supervisor, who lets them go on. Either way a tracer with a filter in
// the same place sees them.
#include "own_filter.h"

#include "hot.h"

#include <sys/ioctl.h>

enum { ASKS_TRACER = SYS_timerfd_gettime, ASKED = 10 };

static _Atomic int listener = -1;

static void* let_go_on(void* unused) {
    while (atomic_load(&listener) == -1) sched_yield();
    for (int handled = 0; handled < ASKED; ++handled) {
        struct seccomp_notif request;
        memset(&request, 0, sizeof request);
        if (ioctl(atomic_load(&listener), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
            die("receive from the listener");
        struct seccomp_notif_resp response = {.id = request.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (ioctl(atomic_load(&listener), SECCOMP_IOCTL_NOTIF_SEND, &response) != 0)
            die("send to the listener");
    }
    return unused;
}

static void ask_tracer(void) {
    const struct verdict verdict = {ASKS_TRACER, SECCOMP_RET_TRACE | 5};
    for (int i = 0; i < 5; ++i) require(mark(ASKS_TRACER) == -1 && errno == EBADF, "the kernel answers");
    call_hotly(2 * HOT_CALLS);
    require(install_filter(&verdict, 1, 0) == 0, "the filter is loaded");
    call_hotly(HOT_CALLS);
    for (int i = 0; i < 5; ++i) require(mark(ASKS_TRACER) == -1 && errno == ENOSYS, "there is no tracer");
    call_fresh(0);
}

static void ask_supervisor(void) {
    const pthread_t supervisor = start_thread(let_go_on, NULL);
    struct verdict verdicts[ASKED];
    for (int i = 0; i < ASKED; ++i) verdicts[i] = (struct verdict){FRESH + 1 + i, SECCOMP_RET_USER_NOTIF};
    call_hotly(HOT_CALLS);
    const int fd = (int)install_filter(verdicts, ASKED, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (fd < 0) die("seccomp");
    atomic_store(&listener, fd);
    for (int i = 0; i < ASKED; ++i) {
        call_hotly(HOT_CALLS / ASKED);
        call_fresh(1 + i);
    }
    join_thread(supervisor);
}

static void in_child(void (*part)(void)) {
    const pid_t pid = fork_child();
    if (pid == 0) {
        part();
        _exit(0);
    }
    wait_success(pid);
}

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_TRACE);
    need_filter_action(SECCOMP_RET_USER_NOTIF);
    in_child(ask_tracer);
    in_child(ask_supervisor);
    expect_call(ASKS_TRACER, 10);
    expect_fresh(0, 1 + ASKED);
    expect_processes(3);
    return 0;
}
