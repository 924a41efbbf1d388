// What a signal brings along and in which order signals come must survive being passed on by a tracer: queued
// values, real-time order, the alternate stack, EINTR, restarting, nesting, waiting without a handler.
#include "tracee.h"

enum {
    ON_QUEUED = SYS_getpgid,
    ON_ALTERNATE_STACK = SYS_getsid,
    ON_INTERRUPT = SYS_timer_getoverrun,
    ON_OUTER = SYS_sched_get_priority_max,
    ON_INNER = SYS_sched_get_priority_min,
};

static void handle(int signal_number, void (*handler)(int, siginfo_t*, void*), int flags, bool block_all) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    if (block_all) sigfillset(&action.sa_mask);
    if (sigaction(signal_number, &action, NULL) != 0) die("sigaction");
}

static void set_blocked(bool block) {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    sigprocmask(block ? SIG_BLOCK : SIG_UNBLOCK, &all, NULL);
}

// --- Queued signals: their values, in the order of the signal numbers, first in first out
// ---------------------

static struct {
    int offset;
    int value;
    bool honest;
} queued[16];
static volatile sig_atomic_t queued_count;

static void on_queued(int signal_number, siginfo_t* info, void* unused) {
    (void)unused;
    mark(ON_QUEUED);
    queued[queued_count].offset = signal_number - SIGRTMIN;
    queued[queued_count].value = info->si_value.sival_int;
    queued[queued_count].honest = info->si_code == SI_QUEUE && info->si_signo == signal_number &&
                                  info->si_pid == getpid() && info->si_uid == getuid();
    ++queued_count;
}

static void queue(int offset, int value) {
    const union sigval payload = {.sival_int = value};
    if (sigqueue(getpid(), SIGRTMIN + offset, payload) != 0) die("sigqueue");
}

static void queued_values(void) {
    for (int offset = 0; offset < 3; ++offset) handle(SIGRTMIN + offset, on_queued, 0, true);
    set_blocked(true);
    queue(2, 20);
    queue(0, 1);
    queue(1, 10);
    queue(2, -21);
    queue(0, 0x7fffffff);
    set_blocked(false);
    for (int i = 0; i < queued_count; ++i) {
        printf("SIGRTMIN+%d value %d %s\n", queued[i].offset, queued[i].value,
               queued[i].honest ? "from itself" : "from elsewhere");
    }
}

// --- Ordinary signals do not queue; one can be waited for without a handler
// -----------------------------------

static volatile sig_atomic_t coalesced_count;

static void on_coalesced(int signal_number, siginfo_t* info, void* unused) {
    (void)unused;
    coalesced_count += signal_number == SIGUSR1 && info->si_code == SI_USER;
}

static void waiting_without_a_handler(void) {
    handle(SIGUSR1, on_coalesced, 0, true);
    set_blocked(true);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    set_blocked(false);
    printf("two of the same: %d\n", (int)coalesced_count);

    set_blocked(true);
    queue(1, 77);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGRTMIN + 1);
    siginfo_t info;
    const int taken = sigwaitinfo(&wanted, &info);
    set_blocked(false);
    printf("sigwaitinfo: SIGRTMIN+%d value %d\n", taken - SIGRTMIN, info.si_value.sival_int);
}

// --- The alternate stack
// --------------------------------------------------------------------------------------

static char alternate_stack[64 * 1024];
static volatile sig_atomic_t was_on_alternate_stack;

static void on_alternate_stack(int signal_number, siginfo_t* info, void* unused) {
    (void)signal_number;
    (void)info;
    (void)unused;
    char local;
    mark(ON_ALTERNATE_STACK);
    const uintptr_t here = (uintptr_t)&local;
    const uintptr_t bottom = (uintptr_t)alternate_stack;
    was_on_alternate_stack = here >= bottom && here < bottom + sizeof alternate_stack;
}

static void alternate(void) {
    const stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    if (sigaltstack(&stack, NULL) != 0) die("sigaltstack");
    handle(SIGUSR2, on_alternate_stack, SA_ONSTACK, true);
    raise(SIGUSR2);
    printf("alternate stack: %s\n", was_on_alternate_stack ? "used" : "not used");
}

// --- Interrupted and restarted calls
// --------------------------------------------------------------------------

static pthread_t main_thread;
static pid_t main_tid;
static _Atomic bool reads_now;
static _Atomic int interrupts;
static int pipe_ends[2];

static void on_interrupt(int signal_number, siginfo_t* info, void* unused) {
    (void)signal_number;
    (void)info;
    (void)unused;
    mark(ON_INTERRUPT);
    atomic_fetch_add(&interrupts, 1);
}

/// Interrupts the main thread as soon as it sleeps in its read; then, after the handler ran, feeds the pipe.
static void* interrupt_the_reader(void* feed_afterwards) {
    set_blocked(true);
    const int before = atomic_load(&interrupts);
    while (!atomic_load(&reads_now)) sched_yield();
    wait_until_asleep(getpid(), main_tid);
    pthread_kill(main_thread, SIGUSR1);
    while (atomic_load(&interrupts) == before) sched_yield();
    if (feed_afterwards != NULL && write(pipe_ends[1], "x", 1) != 1) die("write");
    return NULL;
}

static void read_while_interrupted(const char* label, int flags) {
    handle(SIGUSR1, on_interrupt, flags, true);
    atomic_store(&reads_now, false);
    const pthread_t helper =
        start_thread(interrupt_the_reader, (flags & SA_RESTART) != 0 ? (void*)label : NULL);
    char byte;
    atomic_store(&reads_now, true);
    const ssize_t length = read(pipe_ends[0], &byte, 1);
    const int error = errno;
    join_thread(helper);
    printf("%s: %s\n", label, length == 1 ? "read" : error == EINTR ? "EINTR" : strerror(error));
}

static void interrupted_calls(void) {
    main_thread = pthread_self();
    main_tid = current_tid();
    if (pipe(pipe_ends) != 0) die("pipe");
    read_while_interrupted("without SA_RESTART", 0);
    read_while_interrupted("with SA_RESTART", SA_RESTART);
}

// --- Handlers within handlers
// ---------------------------------------------------------------------------------

static char nesting[32];

static void on_outer(int signal_number, siginfo_t* info, void* unused) {
    (void)info;
    (void)unused;
    static int deferred;
    mark(ON_OUTER);
    strcat(nesting, "outer(");
    if (deferred++ == 0) {
        raise(signal_number);  // Blocked until this handler returns.
        raise(SIGUSR2);
    }
    strcat(nesting, ")");
}

static void on_inner(int signal_number, siginfo_t* info, void* unused) {
    (void)signal_number;
    (void)info;
    (void)unused;
    mark(ON_INNER);
    strcat(nesting, "inner");
}

static void nested(void) {
    handle(SIGUSR1, on_outer, 0, false);
    handle(SIGUSR2, on_inner, 0, false);
    raise(SIGUSR1);
    printf("nested: %s\n", nesting);
}

int main(void) {
    begin();
    queued_values();
    waiting_without_a_handler();
    alternate();
    interrupted_calls();
    nested();
    expect_call(ON_QUEUED, 5);
    expect_call(ON_ALTERNATE_STACK, 1);
    expect_call(ON_INTERRUPT, 2);
    expect_call(ON_OUTER, 2);
    expect_call(ON_INNER, 1);
    // Restarted once, so entered at least once for the interrupted, and twice for the restarted read.
    expect_atleast(SYS_read, 3);
    expect_call(SYS_rt_sigreturn, 5 + 1 + 1 + 2 + 2 + 1);
    expect_processes(1);
    return 0;
}
