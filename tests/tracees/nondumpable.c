// A process that makes itself non-dumpable: from then on an unprivileged tracer cannot read its memory, but
// must see its calls, and follow its threads and children.
#include "tracee.h"

enum {
    BEFORE = SYS_getpgid,
    AFTER = SYS_getsid,
    IN_THREAD = SYS_timer_getoverrun,
    IN_CHILD = SYS_timer_delete
};

static void* in_thread(void* unused) {
    mark_times(IN_THREAD, 4);
    return unused;
}

int main(void) {
    begin();
    mark_times(BEFORE, 2);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) die("prctl");
    mark_times(AFTER, 3);
    join_thread(start_thread(in_thread, NULL));
    for (int i = 0; i < 3; ++i) {
        const pid_t child = fork_child();
        if (child == 0) {
            mark_times(IN_CHILD, 5);
            join_thread(start_thread(in_thread, NULL));
            _exit(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
        }
        wait_success(child);
    }
    printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    expect_call(BEFORE, 2);
    expect_call(AFTER, 3);
    expect_call(IN_THREAD, 16);
    expect_call(IN_CHILD, 15);
    expect_processes(4);
    return 0;
}
