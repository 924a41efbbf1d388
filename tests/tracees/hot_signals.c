// Signals that arrive while the code is hot: from a timer all the time, queued by another process, during
// calls that wait, some of them with a signal mask for the time of the call. None is lost, the order is kept,
// the masks are right in the handlers and after them, and what was interrupted returns or goes on as ever.
#include "hot.h"

#include <poll.h>

enum { QUEUED = 500, TICK_NS = 200000, ROUNDS = 300, RESTARTED_ROUNDS = 50, TICKS_FOR_A_BYTE = 3 };

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t queued_seen[2];
static volatile sig_atomic_t out_of_order;
static volatile sig_atomic_t wrong_masks;
static volatile sig_atomic_t interruptions;
static sigset_t base_mask;
static int pipe_ends[2];
static timer_t timer;
static volatile sig_atomic_t ticks_until_byte;

/// What is blocked in every handler: they do not nest.
static sigset_t handled_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGRTMIN);
    sigaddset(&signals, SIGRTMIN + 1);
    return signals;
}

static void check_mask(bool in_handler) {
    sigset_t now;
    sigset_t expected = base_mask;
    const sigset_t handled = handled_signals();
    if (in_handler) sigorset(&expected, &base_mask, &handled);
    sigprocmask(SIG_BLOCK, NULL, &now);
    for (int i = 1; i <= SIGRTMAX; ++i) {
        if (sigismember(&now, i) != sigismember(&expected, i)) ++wrong_masks;
    }
}

/// Once, and the handler sets it again: a tracer that takes longer than a tick (one under sanitizers does)
/// would leave no time for anything else.
static void set_timer(void) {
    const struct itimerspec soon = {.it_value.tv_nsec = TICK_NS};
    if (timer_settime(timer, 0, &soon, NULL) != 0) die("timer_settime");
}

static void on_tick(int signal_number) {
    (void)signal_number;
    const int error = errno;
    check_mask(true);
    ++ticks;
    set_timer();
    if (ticks_until_byte > 0 && --ticks_until_byte == 0 && write(pipe_ends[1], "x", 1) != 1) die("write");
    errno = error;
}

static void on_queued(int signal_number, siginfo_t* info, void* unused) {
    (void)unused;
    const int error = errno;
    const int which = signal_number - SIGRTMIN;
    check_mask(true);
    if (info->si_code != SI_QUEUE || info->si_value.sival_int != queued_seen[which]) ++out_of_order;
    ++queued_seen[which];
    errno = error;
}

static void on_interruption(int signal_number) {
    (void)signal_number;
    check_mask(true);
    ++interruptions;
}

static void handle(int signal_number, struct sigaction action) {
    action.sa_mask = handled_signals();
    if (sigaction(signal_number, &action, NULL) != 0) die("sigaction");
}

static void start_ticking(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) die("timer_create");
    set_timer();
}

// --- Calls that wait with a mask of their own, interrupted by what is pending before they begin
// --------------------------------------------------------------------------------------------------

static void wait_with_mask(void) {
    sigset_t without_it = base_mask;
    sigdelset(&without_it, SIGUSR2);
    const struct timespec long_time = {.tv_sec = 10};
    for (int i = 0; i < ROUNDS; ++i) {
        raise(SIGUSR2);
        require(ppoll(NULL, 0, &long_time, &without_it) == -1 && errno == EINTR, "ppoll is interrupted");
        check_mask(false);
        raise(SIGUSR2);
        require(sigsuspend(&without_it) == -1 && errno == EINTR, "sigsuspend is interrupted");
        check_mask(false);
    }
    require(interruptions == 2 * ROUNDS, "each interruption had its signal");
}

// --- Calls interrupted by the timer
// --------------------------------------------------------------------------------------------------

static void wait_while_ticking(void) {
    char byte;
    struct timespec left;
    const struct timespec long_time = {.tv_sec = 10};
    handle(SIGUSR1, (struct sigaction){.sa_handler = on_tick});
    for (int i = 0; i < ROUNDS; ++i) {
        require(read(pipe_ends[0], &byte, 1) == -1 && errno == EINTR, "read is interrupted");
        require(nanosleep(&long_time, &left) == -1 && errno == EINTR, "nanosleep is interrupted");
        require(left.tv_sec == 9 || left.tv_sec == 10, "the rest of the time is told");
    }
    handle(SIGUSR1, (struct sigaction){.sa_handler = on_tick, .sa_flags = SA_RESTART});
    for (int i = 0; i < RESTARTED_ROUNDS; ++i) {
        ticks_until_byte = TICKS_FOR_A_BYTE;
        require(read(pipe_ends[0], &byte, 1) == 1, "read goes on after the handlers");
    }
}

// --- Calling, while they come
// --------------------------------------------------------------------------------------------------

static void be_signalled(void) {
    handle(SIGRTMIN, (struct sigaction){.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART});
    handle(SIGRTMIN + 1, (struct sigaction){.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART});
    handle(SIGUSR1, (struct sigaction){.sa_handler = on_tick, .sa_flags = SA_RESTART});
    start_ticking();
    if (write(pipe_ends[1], "r", 1) != 1) die("write");  // Ready: the other process may begin.
    int calls = 0;
    for (; queued_seen[0] < QUEUED || queued_seen[1] < QUEUED || calls < HOT_CALLS; calls += 10) {
        call_hotly(10);
        check_mask(false);
    }
}

static void queue(pid_t pid, int signal_number, int value) {
    const union sigval payload = {.sival_int = value};
    while (sigqueue(pid, signal_number, payload) != 0) {
        if (errno != EAGAIN) die("sigqueue");  // There are many already.
        sched_yield();
    }
}

/// In a process of its own, so that each part finds a process that is not yet hot.
static void run(void (*part)(void), int which) {
    ticks = 0;
    const pid_t pid = fork_child();
    if (pid == 0) {
        part();
        call_fresh(which);
        require(wrong_masks == 0, "the masks are right");
        require(out_of_order == 0, "the order is kept");
        _exit(0);
    }
    if (part == be_signalled) {
        char byte;
        if (read(pipe_ends[0], &byte, 1) != 1) die("read");
        for (int i = 0; i < QUEUED; ++i) {
            queue(pid, SIGRTMIN, i);
            queue(pid, SIGRTMIN + 1, i);
            // Some come together, some alone, at no regular distance.
            for (volatile int spin = 0; spin < i * 7919 % 5 * 5000; ++spin) continue;
        }
    }
    wait_success(pid);
}

static void wait_while_ticking_from_start(void) {
    handle(SIGUSR1, (struct sigaction){.sa_handler = on_tick});
    start_ticking();
    wait_while_ticking();
}

int main(void) {
    begin();
    if (pipe(pipe_ends) != 0) die("pipe");
    handle(SIGUSR2, (struct sigaction){.sa_handler = on_interruption});
    sigemptyset(&base_mask);
    sigaddset(&base_mask, SIGUSR2);
    sigaddset(&base_mask, SIGHUP);
    sigprocmask(SIG_SETMASK, &base_mask, NULL);
    run(wait_with_mask, 0);
    run(wait_while_ticking_from_start, 1);
    run(be_signalled, 2);
    printf("signals are as ever\n");
    expect_fresh(0, 3);
    expect_processes(4);
    return 0;
}
