// Seccomp's strict mode: only read, write, exit and rt_sigreturn are left. It cannot be had where a tracer
// put a filter. A call too many is fatal, and counts.
#include "tracee.h"

#include <linux/seccomp.h>

enum { BEFORE = SYS_getpgid, FATAL = SYS_getsid };

static void enter_strict_mode(void) {
    mark_times(BEFORE, 3);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0) _exit(errno);
}

int main(void) {
    begin();
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    const pid_t obedient = fork_child();
    if (obedient == 0) {
        enter_strict_mode();
        for (int i = 0; i < 10; ++i) syscall(SYS_write, ends[1], "x", 1);
        syscall(SYS_exit, 5);
    }
    print_status("obedient", wait_status(obedient));
    char bytes[16];
    printf("bytes written: %d\n", (int)read(ends[0], bytes, sizeof bytes));

    const pid_t disobedient = fork_child();
    if (disobedient == 0) {
        enter_strict_mode();
        mark(FATAL);
        syscall(SYS_exit, TRACEE_BROKEN);
    }
    print_status("disobedient", wait_status(disobedient));
    expect_call(BEFORE, 6);
    expect_call(FATAL, 1);
    expect_call(SYS_exit, 1);
    expect_processes(3);
    return 0;
}
