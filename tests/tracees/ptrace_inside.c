// A program that is itself a tracer. Under another tracer its ptrace calls are refused with EPERM, and a
// sensible program carries on without; what is the same either way is printed.
#include "tracee.h"

#include <sys/ptrace.h>

enum { ASKING = SYS_getpgid, AFTER_EXEC = SYS_getsid, SEIZED = SYS_timer_getoverrun };

static const char* works_or_is_refused(long result) {
    return result == 0 || errno == EPERM ? "works or is refused" : strerror(errno);
}

/// Waits for the end of a child that may be traced by us and stop on the way.
static int wait_through_stops(pid_t pid) {
    for (;;) {
        const int status = wait_status(pid);
        if (!WIFSTOPPED(status)) return status;
        // The trap after an execve, not to be passed on.
        if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0) die("PTRACE_CONT");
    }
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "after") == 0) {
        mark_times(AFTER_EXEC, 4);
        return 0;
    }
    const pid_t asking = fork_child();
    if (asking == 0) {
        printf("TRACEME %s\n", works_or_is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
        mark_times(ASKING, 3);
        exec_self("after", NULL);
    }
    print_status("asking for a tracer", wait_through_stops(asking));

    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    const pid_t seized = fork_child();
    if (seized == 0) {
        close(ends[1]);
        char byte;
        while (read(ends[0], &byte, 1) < 0) require(errno == EINTR, "a read is only interrupted");
        mark_times(SEIZED, 5);
        _exit(0);
    }
    printf("SEIZE %s\n", works_or_is_refused(ptrace(PTRACE_SEIZE, seized, NULL, NULL)));
    close(ends[1]);
    print_status("seized", wait_through_stops(seized));

    expect_call(ASKING, 3);
    expect_call(AFTER_EXEC, 4);
    expect_call(SEIZED, 5);
    expect_atleast(SYS_ptrace, 2);
    expect_processes(3);
    return 0;
}
