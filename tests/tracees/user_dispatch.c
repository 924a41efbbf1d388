// Syscall User Dispatch: calls become SIGSYS before any tracer or filter sees them, and are no calls of the
// kernel's. Emulators of other systems live on it.
#include "tracee.h"

#include <ucontext.h>

// From <linux/prctl.h> of Linux 5.11.
enum { SET_USER_DISPATCH = 59, DISPATCH_OFF = 0, DISPATCH_ON = 1 };
enum { SELECTOR_ALLOW = 0, SELECTOR_BLOCK = 1 };
enum { DISPATCHED = SYS_getpgid, IN_HANDLER = SYS_getsid, ALLOWED = SYS_timer_getoverrun, ROUNDS = 10 };

static volatile char selector = SELECTOR_ALLOW;
static volatile sig_atomic_t honest;

static void on_sys(int signal_number, siginfo_t* info, void* context) {
    selector = SELECTOR_ALLOW;  // Or the return from this handler would be dispatched as well.
    mark(IN_HANDLER);
    honest += signal_number == SIGSYS && info->si_code == 2 /* SYS_USER_DISPATCH */ &&
              info->si_syscall == DISPATCHED;
    ((ucontext_t*)context)->uc_mcontext.gregs[REG_RAX] = 4321;
}

int main(void) {
    begin();
    struct sigaction action = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, NULL) != 0) die("sigaction");
    if (prctl(SET_USER_DISPATCH, DISPATCH_ON, 0L, 0L, &selector) != 0) skip("no Syscall User Dispatch");
    for (int i = 0; i < ROUNDS; ++i) {
        selector = SELECTOR_BLOCK;
        const long result = mark(DISPATCHED);
        require(result == 4321, "the handler's result is the call's");
        mark(ALLOWED);
    }
    if (prctl(SET_USER_DISPATCH, DISPATCH_OFF, 0L, 0L, 0L) != 0) die("prctl");
    printf("right siginfo: %d\n", (int)honest);
    expect_absent(DISPATCHED);
    expect_call(IN_HANDLER, ROUNDS);
    expect_call(ALLOWED, ROUNDS);
    expect_call(SYS_rt_sigreturn, ROUNDS);
    expect_processes(1);
    return 0;
}
