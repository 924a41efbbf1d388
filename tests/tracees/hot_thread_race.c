// Threads created all the time while others are hot: some before a filter is loaded, some after, some in that
// moment. Each waits to the end and then makes a call that nobody else makes.
#include "hot.h"

enum { PROCESSES = 6, HOT_THREADS = 3, WAITING_THREADS = 36, THREADS = HOT_THREADS + WAITING_THREADS };

static _Atomic bool done;
static _Atomic int calls;
static int release_ends[2];

static void* be_hot(void* which) {
    call_hotly_until(&done, &calls);
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static void* wait_and_call(void* which) {
    char byte;
    if (read(release_ends[0], &byte, 1) != 1) die("read");
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static _Noreturn void be_process(int first) {
    pthread_t threads[THREADS];
    if (pipe(release_ends) != 0) die("pipe");
    for (int i = 0; i < HOT_THREADS; ++i) threads[i] = start_thread(be_hot, (void*)(intptr_t)(first + i));
    for (int i = HOT_THREADS; i < THREADS; ++i) {
        call_hotly_up_to((i - HOT_THREADS) * (HOT_CALLS / WAITING_THREADS), &calls);
        threads[i] = start_thread(wait_and_call, (void*)(intptr_t)(first + i));
    }
    call_hotly_up_to(atomic_load(&calls) + HOT_CALLS, &calls);
    char bytes[WAITING_THREADS] = {0};
    if (write(release_ends[1], bytes, WAITING_THREADS) != WAITING_THREADS) die("write");
    for (int i = HOT_THREADS; i < THREADS; ++i) join_thread(threads[i]);
    atomic_store(&done, true);
    for (int i = 0; i < HOT_THREADS; ++i) join_thread(threads[i]);
    _exit(0);
}

int main(void) {
    begin();
    for (int i = 0; i < PROCESSES; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0) be_process(i * THREADS);
        wait_success(pid);
    }
    expect_fresh(0, PROCESSES * THREADS);
    expect_processes(1 + PROCESSES);
    return 0;
}
