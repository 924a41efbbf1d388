// Syscall User Dispatch switched on and off by hot code, with the selector set to block beforehand: from then
// on a call from anywhere is SIGSYS, and one that a tracer makes the thread make is, too.
#include "hot.h"

// From <linux/prctl.h> of Linux 5.11.
enum { SET_USER_DISPATCH = 59, DISPATCH_OFF = 0, DISPATCH_ON = 1 };
enum { SELECTOR_ALLOW = 0, SELECTOR_BLOCK = 1 };

static volatile char selector = SELECTOR_ALLOW;
static volatile sig_atomic_t dispatched;

static void on_sys(int signal_number) {
    selector = SELECTOR_ALLOW;  // Or the return from this handler would be dispatched as well.
    dispatched += signal_number == SIGSYS;
}

int main(void) {
    begin();
    if (prctl(SET_USER_DISPATCH, DISPATCH_OFF, 0L, 0L, 0L) != 0) skip("no Syscall User Dispatch");
    signal(SIGSYS, on_sys);
    for (int i = 0; i < 2 * HOT_CALLS; ++i) {
        selector = SELECTOR_BLOCK;
        if (prctl(SET_USER_DISPATCH, DISPATCH_ON, 0L, 0L, &selector) != 0) die("prctl");
        if (i % 2 == 0) mark(SYS_getpgid);
        selector = SELECTOR_ALLOW;
        if (prctl(SET_USER_DISPATCH, DISPATCH_OFF, 0L, 0L, 0L) != 0) die("prctl");
    }
    call_fresh(0);
    printf("dispatched %d\n", (int)dispatched);
    expect_absent(SYS_getpgid);
    expect_fresh(0, 1);
    expect_processes(1);
    return 0;
}
