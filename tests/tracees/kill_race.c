// 300 children killed by SIGKILL at any moment: in calls, at birth, with two threads, in execve. Nothing may
// hang.
#include "tracee.h"

enum { CHILDREN = 300, HANDSHAKING = 0, NEWBORN = 1, THREADED = 2, EXECUTING = 3, KINDS = 4 };

static _Noreturn void call_for_ever(void) {
    for (;;) mark(SYS_getpgid);
}

static void* call_for_ever_in_thread(void* unused) {
    (void)unused;
    call_for_ever();
}

static _Noreturn void be_killed(int kind, _Atomic int* calls_made) {
    switch (kind) {
        case HANDSHAKING:
            mark(SYS_getpgid);
            atomic_fetch_add(calls_made, 1);
            break;
        case THREADED:
            start_thread(call_for_ever_in_thread, NULL);
            break;
        case EXECUTING:
            exec_self("again", NULL);
        default:
            break;
    }
    call_for_ever();
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "again") == 0) {
        mark(SYS_getsid);
        exec_self("again", NULL);
    }
    _Atomic int* const calls_made = shared_memory(sizeof *calls_made);
    int handshakes = 0;
    int killed = 0;
    for (int i = 0; i < CHILDREN; ++i) {
        const int kind = i % KINDS;
        const pid_t pid = fork_child();
        if (pid == 0) be_killed(kind, calls_made);
        if (kind == HANDSHAKING) {
            ++handshakes;
            while (atomic_load(calls_made) < handshakes) sched_yield();
        }
        // Of any length from nothing to about a millisecond, in no order.
        const int busy = (i * 7919) % CHILDREN * 3000;
        for (volatile int spin = 0; spin < busy; ++spin) continue;
        if (kill(pid, SIGKILL) != 0) die("kill");
        const int status = wait_status(pid);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    printf("killed %d of %d\n", killed, CHILDREN);
    expect_atleast(SYS_getpgid, handshakes);
    return 0;
}
