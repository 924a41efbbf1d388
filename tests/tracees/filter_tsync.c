// A filter of the program's own, put on all its threads at once by SECCOMP_FILTER_FLAG_TSYNC while they are
// busy. It fails if a tracer has given the threads different filters.
#include "own_filter.h"

enum { THREADS = 4, BUSY = SYS_getpgid, DENIED = SYS_getsid };

static _Atomic int busy_threads;
static _Atomic bool installed;
static _Atomic int denied;

static void* be_busy_then_try(void* unused) {
    mark(BUSY);
    atomic_fetch_add(&busy_threads, 1);
    while (!atomic_load(&installed)) mark(BUSY);
    for (int i = 0; i < 10; ++i) {
        if (mark(DENIED) == -1 && errno == EDOM) atomic_fetch_add(&denied, 1);
    }
    return unused;
}

int main(void) {
    begin();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) threads[i] = start_thread(be_busy_then_try, NULL);
    while (atomic_load(&busy_threads) < THREADS) sched_yield();
    const struct verdict verdict = {DENIED, SECCOMP_RET_ERRNO | EDOM};
    const long result = install_filter_or_skip(&verdict, 1, SECCOMP_FILTER_FLAG_TSYNC);
    atomic_store(&installed, true);
    for (int i = 0; i < THREADS; ++i) join_thread(threads[i]);
    printf("filter %s, denied %d\n", result == 0 ? "on all threads" : "refused by a thread",
           atomic_load(&denied));
    expect_atleast(BUSY, THREADS);
    expect_call(DENIED, 10 * THREADS);
    expect_processes(1);
    return 0;
}
