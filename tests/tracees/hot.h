/// For tracees that first call so much, with nothing new among it, that a tracer which loads a filter into
/// such a process does so in the middle of the tracee's own code; `--patience 0.1` makes that 512 calls, or
/// twice as many in a process that starts others.
///
/// A call that the tracer loses after that is told by its number: each number from FRESH on, which no kernel
/// knows, is made by one caller only.
#ifndef CALLCENSUS_TESTS_TRACEES_HOT_H_
#define CALLCENSUS_TESTS_TRACEES_HOT_H_

#include "tracee.h"

#include <semaphore.h>

/// CALLS_WATCHED: about as many as `--patience 0.1` waits for.
enum { HOT_CALLS = 1500, CALLS_WATCHED = 512, FRESH = 6000 };

/// Calls that none but hot code makes.
static inline void call_hotly(int times) {
    for (int i = 0; i < times; ++i) mark(i % 2 == 0 ? SYS_sched_getscheduler : SYS_getpriority);
}

/// Hot code of several threads or processes, which counts as it goes.
static inline void call_hotly_until(const _Atomic bool* done, _Atomic int* calls) {
    while (!atomic_load(done)) {
        mark(SYS_sched_getscheduler);
        atomic_fetch_add(calls, 1);
    }
}

/// The same up to a moment: one more of the hot threads. (One that waited would be busy without calling: a
/// process that computes is watched for longer.)
static inline void call_hotly_up_to(int count, _Atomic int* calls) {
    while (atomic_load(calls) < count) {
        mark(SYS_sched_getscheduler);
        atomic_fetch_add(calls, 1);
    }
}

/// Moments in the life of a hot process for another one to wait for: after `first` calls and every so many
/// later. In shared memory.
struct moments {
    _Atomic int calls;
    _Atomic bool done;
    int first;
    int apart;
    sem_t come;
};

static inline struct moments* new_moments(void) {
    struct moments* const moments = shared_memory(sizeof *moments);
    if (sem_init(&moments->come, 1, 0) != 0) die("sem_init");
    return moments;
}

static inline void set_moments(struct moments* moments, int first, int apart) {
    while (sem_trywait(&moments->come) == 0) continue;
    atomic_store(&moments->calls, 0);
    atomic_store(&moments->done, false);
    moments->first = first;
    moments->apart = apart;
}

static inline void call_hotly_through(struct moments* moments) {
    while (!atomic_load(&moments->done)) {
        mark(SYS_sched_getscheduler);
        const int count = atomic_fetch_add(&moments->calls, 1) + 1 - moments->first;
        if (count >= 0 && count % moments->apart == 0) sem_post(&moments->come);
    }
}

static inline void wait_for_moment(struct moments* moments) {
    while (sem_wait(&moments->come) != 0) {
        if (errno != EINTR) die("sem_wait");
    }
}

static inline void call_fresh(int which) {
    require(mark(FRESH + which) == -1 && errno == ENOSYS, "the kernel does not know the number");
}

/// Each number from `first` on was made once.
static inline void expect_fresh(int first, int count) {
    for (int i = first; i < first + count; ++i) expect_call(FRESH + i, 1);
}

#endif  // CALLCENSUS_TESTS_TRACEES_HOT_H_
