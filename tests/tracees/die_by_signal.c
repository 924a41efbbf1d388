// Dies by the signal whose number is the first argument (SIGTERM without one).
#include "tracee.h"

#include <sys/resource.h>

int main(int argc, char** argv) {
    begin();
    const int fatal = argc > 1 ? atoi(argv[1]) : SIGTERM;
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    mark_times(SYS_getpgid, 3);
    expect_call(SYS_getpgid, 3);
    expect_absent(SYS_exit_group);
    expect_processes(1);

    sigset_t all;
    sigfillset(&all);
    signal(fatal, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(fatal);
    fprintf(stderr, "signal %d is not fatal\n", fatal);
    return TRACEE_BROKEN;
}
