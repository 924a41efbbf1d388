// Processes that make their memory unreadable before they are hot, or in the middle of it, after so and so
// many calls: by another thread, so that it may come while a filter is being loaded.
#include "hot.h"

enum { MOMENTS = 20, CALLS_APART = 8, HOT_THREADS = 2, IN_PROCESS = HOT_THREADS + 2 };

static _Atomic bool done;
static _Atomic int calls;

static void* be_hot(void* which) {
    call_hotly_until(&done, &calls);
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static void* call_once(void* which) {
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static _Noreturn void be_unreadable(int moment, int first) {
    pthread_t threads[HOT_THREADS];
    for (int i = 0; i < HOT_THREADS; ++i) threads[i] = start_thread(be_hot, (void*)(intptr_t)(first + i));
    call_hotly_up_to(moment, &calls);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) die("prctl");
    call_hotly_up_to(atomic_load(&calls) + CALLS_WATCHED, &calls);
    join_thread(start_thread(call_once, (void*)(intptr_t)(first + HOT_THREADS)));
    atomic_store(&done, true);
    for (int i = 0; i < HOT_THREADS; ++i) join_thread(threads[i]);
    const pid_t pid = fork_child();
    if (pid == 0) {
        call_fresh(first + HOT_THREADS + 1);
        _exit(0);
    }
    wait_success(pid);
    _exit(0);
}

int main(void) {
    begin();
    for (int i = 0; i < MOMENTS; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0) be_unreadable(CALLS_WATCHED + (i - MOMENTS / 2) * CALLS_APART, i * IN_PROCESS);
        wait_success(pid);
    }
    expect_fresh(0, MOMENTS * IN_PROCESS);
    expect_processes(1 + 2 * MOMENTS);
    return 0;
}
