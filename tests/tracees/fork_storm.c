// 2000 short processes, up to 50 of them at a time.
#include "tracee.h"

enum { PROCESSES = 2000, AT_A_TIME = 50 };

static void wait_for_any(void) {
    int status;
    while (waitpid(-1, &status, __WALL) < 0) {
        if (errno != EINTR) die("waitpid");
    }
    if (status != 0) print_status("child", status);
}

int main(void) {
    begin();
    for (int i = 0; i < PROCESSES; ++i) {
        if (i >= AT_A_TIME) wait_for_any();
        if (fork_child() == 0) {
            mark(SYS_getpgid);
            mark(SYS_getsid);
            mark(SYS_timer_getoverrun);
            _exit(0);
        }
    }
    for (int i = 0; i < AT_A_TIME; ++i) wait_for_any();
    expect_call(SYS_getpgid, PROCESSES);
    expect_call(SYS_getsid, PROCESSES);
    expect_call(SYS_timer_getoverrun, PROCESSES);
    expect_processes(1 + PROCESSES);
    return 0;
}
