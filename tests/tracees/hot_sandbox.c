// A program that calls hotly and then, for all its threads at once, forbids itself on pain of death what it
// no longer needs: mapping memory, loading filters. A tracer that makes it do so afterwards kills it.
#include "own_filter.h"

#include "hot.h"

enum { MOMENTS = 40, CALLS_APART = 3, HOT_THREADS = 2 };

static const _Atomic bool never;
static _Atomic int calls;

static void* be_hot(void* unused) {
    call_hotly_until(&never, &calls);
    return unused;
}

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_KILL_PROCESS);
    const struct verdict deadly[] = {
        {SYS_mmap, SECCOMP_RET_KILL_PROCESS},
        {SYS_munmap, SECCOMP_RET_KILL_PROCESS},
        {SYS_seccomp, SECCOMP_RET_KILL_PROCESS},
        {SYS_prctl, SECCOMP_RET_KILL_PROCESS},
    };
    for (int i = 0; i < MOMENTS; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0) {
            call_fresh(2 * i);
            for (int thread = 0; thread < HOT_THREADS; ++thread) start_thread(be_hot, NULL);
            call_hotly_up_to(CALLS_WATCHED + (i - MOMENTS / 2) * CALLS_APART, &calls);
            require(install_filter(deadly, 4, SECCOMP_FILTER_FLAG_TSYNC) == 0, "the filter is loaded");
            call_hotly_up_to(atomic_load(&calls) + CALLS_WATCHED, &calls);
            call_fresh(2 * i + 1);
            _exit(0);
        }
        wait_success(pid);
    }
    expect_fresh(0, 2 * MOMENTS);
    expect_processes(1 + MOMENTS);
    return 0;
}
