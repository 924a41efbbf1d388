/// For tracees that first call so much, with nothing new among it, that a tracer which loads a filter into such a
/// process does so in the middle of the tracee's own code; `--patience 0.1` makes that 512 calls, or twice as many in
/// a process that starts others.
///
/// A call that the tracer loses after that is told by its number: each number from FRESH on, which no kernel knows, is
/// made by one caller only.
#ifndef CALLCENSUS_TESTS_TRACEES_HOT_H_
#define CALLCENSUS_TESTS_TRACEES_HOT_H_

#include "tracee.h"

enum { HOT_CALLS = 1500, FRESH = 6000 };

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

/// A moment in the life of hot code. Waits without calls, for these would make the caller hot as well.
static inline void wait_for_calls(const _Atomic int* calls, int count) {
    while (atomic_load(calls) < count) continue;
}

static inline void call_fresh(int which) {
    require(mark(FRESH + which) == -1 && errno == ENOSYS, "the kernel does not know the number");
}

/// Each number from `first` on was made once.
static inline void expect_fresh(int first, int count) {
    for (int i = first; i < first + count; ++i) expect_call(FRESH + i, 1);
}

#endif  // CALLCENSUS_TESTS_TRACEES_HOT_H_
