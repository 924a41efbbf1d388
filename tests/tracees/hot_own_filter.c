// A filter of the program's own that comes when other threads are hot, after so and so many calls: on one
// thread, on all, first on one and then on all, and while another thread tries in vain. What it denies after
// that, a tracer sees nevertheless.
#include "own_filter.h"

#include "hot.h"

enum { MOMENTS = 16, CALLS_APART = 10, HOT_THREADS = 3, DENIED = HOT_THREADS + 1 };
enum way { ON_ONE_THREAD, ON_ALL_THREADS, ON_ONE_THEN_ON_ALL, ON_ALL_WHILE_ANOTHER_FAILS, WAYS };

static _Atomic bool done;
static _Atomic int calls;
static _Atomic int failing;
static int first_number;
static bool denied_everywhere;

static void make_denied_call(int which, bool is_denied) {
    require(mark(FRESH + which) == -1 && errno == (is_denied ? EDOM : ENOSYS), "the filter decides");
}

static void* be_hot(void* which) {
    call_hotly_until(&done, &calls);
    make_denied_call(first_number + (int)(intptr_t)which, denied_everywhere);
    return NULL;
}

static void* try_in_vain(void* unused) {
    while (!atomic_load(&done)) {
        require(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 && errno == EFAULT, "it fails");
        atomic_fetch_add(&failing, 1);
    }
    return unused;
}

static _Noreturn void be_filtered(enum way way, int moment, int first) {
    first_number = first;
    denied_everywhere = way != ON_ONE_THREAD;
    pthread_t threads[HOT_THREADS + 1];
    int started = 0;
    for (; started < HOT_THREADS; ++started)
        threads[started] = start_thread(be_hot, (void*)(intptr_t)started);
    if (way == ON_ALL_WHILE_ANOTHER_FAILS) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
        threads[started++] = start_thread(try_in_vain, NULL);
        while (atomic_load(&failing) == 0) continue;
    }
    call_hotly_up_to(moment, &calls);
    struct verdict verdicts[DENIED];
    for (int i = 0; i < DENIED; ++i)
        verdicts[i] = (struct verdict){FRESH + first + i, SECCOMP_RET_ERRNO | EDOM};
    const struct verdict harmless = {SYS_reboot, SECCOMP_RET_ERRNO | EDOM};
    if (way == ON_ONE_THEN_ON_ALL)
        require(install_filter(&harmless, 1, 0) == 0, "the first filter is loaded");
    const long result = install_filter(verdicts, DENIED, denied_everywhere ? SECCOMP_FILTER_FLAG_TSYNC : 0);
    require(result == 0, "the filter is loaded");
    call_hotly_up_to(atomic_load(&calls) + 100, &calls);
    make_denied_call(first + HOT_THREADS, true);
    atomic_store(&done, true);
    for (int i = 0; i < started; ++i) join_thread(threads[i]);
    _exit(0);
}

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_ERRNO);
    for (int i = 0; i < WAYS * MOMENTS; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0)
            be_filtered((enum way)(i % WAYS), CALLS_WATCHED + (i / WAYS - MOMENTS / 2) * CALLS_APART,
                        i * DENIED);
        wait_success(pid);
    }
    expect_fresh(0, WAYS * MOMENTS * DENIED);
    expect_processes(1 + WAYS * MOMENTS);
    return 0;
}
