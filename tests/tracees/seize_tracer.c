// A program that tries to trace its own tracer, which would stop both for ever: it must be refused with
// EPERM.
#include "tracee.h"

#include <sys/ptrace.h>

static pid_t own_tracer(void) {
    FILE* const file = fopen("/proc/self/status", "re");
    if (file == NULL) die("/proc/self/status");
    char line[256];
    int tracer = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "TracerPid: %d", &tracer) == 1) break;
    }
    fclose(file);
    return (pid_t)tracer;
}

int main(void) {
    begin();
    const pid_t tracer = own_tracer();
    // Without a tracer the same calls are made, at nobody.
    const pid_t target = tracer != 0 ? tracer : -1;
    const int expected = tracer != 0 ? EPERM : ESRCH;

    mark_times(SYS_getpgid, 3);
    const bool seize_refused = ptrace(PTRACE_SEIZE, target, NULL, NULL) == -1 && errno == expected;
    printf("PTRACE_SEIZE %s\n", seize_refused ? "refused" : "NOT REFUSED AS EXPECTED");
    // To be traced both ways is enough of a deadlock: nothing worse is tried.
    const bool attach_refused =
        seize_refused && ptrace(PTRACE_ATTACH, target, NULL, NULL) == -1 && errno == expected;
    printf("PTRACE_ATTACH %s\n", attach_refused ? "refused" : "NOT REFUSED AS EXPECTED");
    mark_times(SYS_getsid, 4);

    expect_call(SYS_getpgid, 3);
    expect_call(SYS_getsid, 4);
    expect_call(SYS_ptrace, 2);
    expect_processes(1);
    return 0;
}
