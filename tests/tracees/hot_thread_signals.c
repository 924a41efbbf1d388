// Signals for single threads and for the whole process while all its threads are hot: none is lost, those for
// a thread arrive there and in their order.
#include "hot.h"

enum { THREADS = 4, FOR_EACH = 200, FOR_ALL = 200 };

static _Atomic int seen_by_thread[THREADS];
static _Atomic int seen_for_all;
static _Atomic int misplaced;
static _Atomic int ready;
static _Thread_local int own_number = -1;
static sigset_t all_signals;

static void on_own(int signal_number, siginfo_t* info, void* unused) {
    (void)signal_number;
    (void)unused;
    const int expected = own_number * FOR_EACH + atomic_load(&seen_by_thread[own_number]);
    if (info->si_value.sival_int != expected) atomic_fetch_add(&misplaced, 1);
    atomic_fetch_add(&seen_by_thread[own_number], 1);
}

static void on_any(int signal_number) {
    (void)signal_number;
    if (own_number < 0) atomic_fetch_add(&misplaced, 1);
    atomic_fetch_add(&seen_for_all, 1);
}

static void* be_hot(void* number) {
    own_number = (int)(intptr_t)number;
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGRTMIN);
    sigaddset(&ours, SIGRTMIN + 1);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    atomic_fetch_add(&ready, 1);
    int calls = 0;
    while (atomic_load(&seen_by_thread[own_number]) < FOR_EACH || atomic_load(&seen_for_all) < FOR_ALL ||
           calls < HOT_CALLS) {
        call_hotly(10);
        calls += 10;
    }
    call_fresh(own_number);
    return NULL;
}

int main(void) {
    begin();
    const struct sigaction own = {.sa_sigaction = on_own, .sa_flags = SA_SIGINFO | SA_RESTART};
    const struct sigaction any = {.sa_handler = on_any, .sa_flags = SA_RESTART};
    if (sigaction(SIGRTMIN, &own, NULL) != 0 || sigaction(SIGRTMIN + 1, &any, NULL) != 0) die("sigaction");
    sigfillset(&all_signals);
    sigdelset(&all_signals, SIGALRM);
    pthread_sigmask(SIG_SETMASK, &all_signals, NULL);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) threads[i] = start_thread(be_hot, (void*)(intptr_t)i);
    while (atomic_load(&ready) < THREADS) sched_yield();
    for (int i = 0; i < FOR_EACH; ++i) {
        for (int thread = 0; thread < THREADS; ++thread) {
            const union sigval value = {.sival_int = thread * FOR_EACH + i};
            while (pthread_sigqueue(threads[thread], SIGRTMIN, value) != 0) sched_yield();
        }
        while (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) != 0) sched_yield();
    }
    for (int i = 0; i < THREADS; ++i) join_thread(threads[i]);
    printf("for all: %d, misplaced: %d\n", atomic_load(&seen_for_all), atomic_load(&misplaced));
    expect_fresh(0, THREADS);
    expect_processes(1);
    return 0;
}
