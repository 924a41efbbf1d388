// Processes created all the time by one thread while others are hot: some before a filter is loaded, some
// after, some in that moment. Each waits to the end and then makes a call that nobody else makes.
#include "hot.h"

#include <linux/sched.h>

enum { FAMILIES = 5, HOT_THREADS = 3, CHILDREN = 36, WAYS = 3, VFORKED = 4 };
enum { FRESH_IN_FAMILY = CHILDREN + HOT_THREADS + VFORKED };

static _Atomic bool done;
static _Atomic int calls;
static int release_ends[2];

static void* be_hot(void* which) {
    call_hotly_until(&done, &calls);
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static pid_t create(int way) {
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    switch (way) {
        case 0:
            return fork();
        case 1:
            return clone_like_fork(SIGCHLD);
        default:
            return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    }
}

static _Noreturn void wait_and_call(int which) {
    char byte;
    arm_alarm();
    while (read(release_ends[0], &byte, 1) != 1) continue;
    call_fresh(which);
    _exit(0);
}

__attribute__((noinline)) static pid_t vfork_and_call(int which) {
    const pid_t pid = vfork();
    if (pid < 0) die("vfork");
    if (pid == 0) {
        mark(FRESH + which);
        _exit(0);
    }
    return pid;
}

static _Noreturn void be_family(int first) {
    pthread_t threads[HOT_THREADS];
    pid_t children[CHILDREN];
    if (pipe(release_ends) != 0) die("pipe");
    for (int i = 0; i < HOT_THREADS; ++i)
        threads[i] = start_thread(be_hot, (void*)(intptr_t)(first + CHILDREN + i));
    for (int i = 0; i < CHILDREN; ++i) {
        call_hotly_up_to(i * (2 * HOT_CALLS / CHILDREN), &calls);
        children[i] = create(i % WAYS);
        if (children[i] == 0) wait_and_call(first + i);
        if (children[i] < 0) die("create a process");
    }
    // Both of them must be past the time of the loading.
    call_hotly_up_to(atomic_load(&calls) + HOT_CALLS, &calls);
    char bytes[CHILDREN] = {0};
    if (write(release_ends[1], bytes, CHILDREN) != CHILDREN) die("write");
    for (int i = 0; i < CHILDREN; ++i) wait_success(children[i]);
    for (int i = 0; i < VFORKED; ++i) {
        wait_success(vfork_and_call(first + CHILDREN + HOT_THREADS + i));
    }
    atomic_store(&done, true);
    for (int i = 0; i < HOT_THREADS; ++i) join_thread(threads[i]);
    _exit(0);
}

int main(void) {
    begin();
    struct clone_args nothing = {.exit_signal = SIGCHLD};
    if (syscall(SYS_clone3, &nothing, 1) != -1 || errno != EINVAL) skip("the kernel has no clone3");
    for (int i = 0; i < FAMILIES; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0) be_family(i * FRESH_IN_FAMILY);
        wait_success(pid);
    }
    expect_fresh(0, FAMILIES * FRESH_IN_FAMILY);
    expect_processes(1 + FAMILIES * (1 + CHILDREN + VFORKED));
    return 0;
}
