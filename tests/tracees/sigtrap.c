// SIGTRAP of the program's own: from a breakpoint instruction, raise(), kill() and sigqueue(). A tracer gets
// SIGTRAPs too, and must not take these for its own.
#include "tracee.h"

enum { IN_HANDLER = SYS_getpgid };

static volatile sig_atomic_t handled;
static volatile sig_atomic_t last_code;
static volatile sig_atomic_t last_value;

static void on_trap(int signal_number, siginfo_t* info, void* unused) {
    (void)unused;
    mark(IN_HANDLER);
    handled += signal_number == SIGTRAP;
    last_code = info->si_code;
    last_value = info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
}

static void report(const char* what) {
    printf("%s: %d handled, code %d, value %d\n", what, (int)handled, (int)last_code, (int)last_value);
}

int main(void) {
    begin();
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGTRAP, &action, NULL) != 0) die("sigaction");
    long handlers = 0;
#if defined(__x86_64__) || defined(__i386__)
    // Only here does the instruction pointer end up behind the breakpoint, without help from the handler.
    for (int i = 0; i < 10; ++i, ++handlers) __asm__ volatile("int3");
    report("int3");
#endif
    for (int i = 0; i < 10; ++i, ++handlers) raise(SIGTRAP);
    report("raise");
    for (int i = 0; i < 10; ++i, ++handlers) kill(getpid(), SIGTRAP);
    report("kill");
    for (int i = 0; i < 10; ++i, ++handlers)
        sigqueue(getpid(), SIGTRAP, (union sigval){.sival_int = 100 + i});
    report("sigqueue");

    const pid_t child = fork_child();
    if (child == 0) {
        signal(SIGTRAP, SIG_DFL);
        mark_times(SYS_getsid, 3);
        raise(SIGTRAP);
        _exit(TRACEE_BROKEN);
    }
    const int status = wait_status(child);
    print_status("without a handler", status);
    expect_call(IN_HANDLER, handlers);
    expect_call(SYS_rt_sigreturn, handlers);
    expect_call(SYS_getsid, 3);
    expect_processes(2);
    return 0;
}
