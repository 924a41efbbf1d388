// 8 threads which each fork 50 children at the same time, and wait for them.
#include "tracee.h"

enum { THREADS = 8, CHILDREN = 50, IN_CHILD = SYS_getpgid, IN_THREAD = SYS_getsid };

static pthread_barrier_t ready;

static void* fork_children(void* unused) {
    pid_t children[CHILDREN];
    pthread_barrier_wait(&ready);
    for (int i = 0; i < CHILDREN; ++i) {
        children[i] = fork_child();
        if (children[i] == 0) {
            mark_times(IN_CHILD, 2);
            _exit(0);
        }
        mark(IN_THREAD);
    }
    for (int i = 0; i < CHILDREN; ++i) wait_success(children[i]);
    return unused;
}

int main(void) {
    begin();
    pthread_barrier_init(&ready, NULL, THREADS);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) threads[i] = start_thread(fork_children, NULL);
    for (int i = 0; i < THREADS; ++i) join_thread(threads[i]);
    expect_call(IN_CHILD, 2 * THREADS * CHILDREN);
    expect_call(IN_THREAD, THREADS * CHILDREN);
    expect_processes(1 + THREADS * CHILDREN);
    return 0;
}
