// execve while 50 threads are in the middle of calls, first by the leader and then by one of the threads.
#include "tracee.h"

enum { THREADS = 50, IN_THREAD = SYS_getpgid, AFTER_FIRST = SYS_getsid, AFTER_SECOND = SYS_timer_getoverrun };

static _Atomic int busy_threads;

static void* keep_calling(void* unused) {
    mark(IN_THREAD);
    atomic_fetch_add(&busy_threads, 1);
    for (;;) mark(IN_THREAD);
    return unused;
}

static void start_busy_threads(void) {
    for (int i = 0; i < THREADS; ++i) start_thread(keep_calling, NULL);
    while (atomic_load(&busy_threads) < THREADS) sched_yield();
}

static void* execute_second(void* unused) {
    (void)unused;
    exec_self("second", NULL);
}

int main(int argc, char** argv) {
    begin();
    const char* const stage = argc > 1 ? argv[1] : "start";
    if (strcmp(stage, "start") == 0) {
        start_busy_threads();
        exec_self("first", NULL);
    }
    if (strcmp(stage, "first") == 0) {
        mark_times(AFTER_FIRST, 3);
        start_busy_threads();
        join_thread(start_thread(execute_second, NULL));
    }
    mark_times(AFTER_SECOND, 4);
    require(current_tid() == getpid(), "the calling thread became the leader");
    expect_atleast(IN_THREAD, 2 * THREADS);
    expect_call(AFTER_FIRST, 3);
    expect_call(AFTER_SECOND, 4);
    expect_call(SYS_execve, 3);
    expect_processes(1);
    return 0;
}
