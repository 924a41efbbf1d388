// Two threads that call without a pause, for ever, beside one that has something to finish: a tracer which
// always serves the first event it gets starves the third.
#include "tracee.h"

static _Atomic int hot;

static void* call_for_ever(void* unused) {
    mark(SYS_getppid);
    atomic_fetch_add(&hot, 1);
    for (;;) mark(SYS_getppid);
    return unused;
}

static void* finish_something(void* unused) {
    while (atomic_load(&hot) < 2) sched_yield();
    mark_times(SYS_getpgid, 2000);
    return unused;
}

int main(void) {
    begin();
    for (int i = 0; i < 2; ++i) start_thread(call_for_ever, NULL);
    join_thread(start_thread(finish_something, NULL));
    expect_call(SYS_getpgid, 2000);
    expect_atleast(SYS_getppid, 2);
    expect_processes(1);
    return 0;
}
