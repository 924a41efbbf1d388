// Filters of the program's own that kill: the whole process, or only the calling thread. The fatal call
// counts.
#include "own_filter.h"

enum {
    BEFORE = SYS_getpgid,
    KILLS_PROCESS = SYS_getsid,
    KILLS_THREAD = SYS_timer_getoverrun,
    AFTER = SYS_timer_delete
};

static void* wait_for_ever(void* unused) {
    for (;;) syscall(SYS_ppoll, NULL, 0L, NULL, NULL, 0L);
    return unused;
}

static void* make_fatal_call(void* unused) {
    mark(KILLS_THREAD);
    printf("the thread lives\n");
    return unused;
}

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_KILL_PROCESS);
    const struct verdict verdicts[] = {{KILLS_PROCESS, SECCOMP_RET_KILL_PROCESS},
                                       {KILLS_THREAD, SECCOMP_RET_KILL_THREAD}};

    const pid_t whole = fork_child();
    if (whole == 0) {
        for (int i = 0; i < 3; ++i) start_thread(wait_for_ever, NULL);
        if (install_filter(verdicts, 2, 0) != 0) die("seccomp");
        mark_times(BEFORE, 3);
        mark(KILLS_PROCESS);
        _exit(TRACEE_BROKEN);
    }
    print_status("process with a fatal call", wait_status(whole));

    const pid_t in_part = fork_child();
    if (in_part == 0) {
        if (install_filter(verdicts, 2, 0) != 0) die("seccomp");
        join_thread(start_thread(make_fatal_call, NULL));
        mark_times(AFTER, 4);
        _exit(8);
    }
    print_status("process whose thread made a fatal call", wait_status(in_part));

    expect_call(BEFORE, 3);
    expect_call(KILLS_PROCESS, 1);
    expect_call(KILLS_THREAD, 1);
    expect_call(AFTER, 4);
    expect_processes(3);
    return 0;
}
