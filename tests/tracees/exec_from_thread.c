// execve from a thread that is not the leader: the other threads vanish, and the caller goes on under the
// leader's id. Its own id ends without a word.
#include "tracee.h"

enum { BEFORE = SYS_getpgid, IN_THREAD = SYS_getsid, AFTER = SYS_timer_getoverrun };

static char process_id[16];

static void* execute(void* unused) {
    (void)unused;
    mark_times(IN_THREAD, 4);
    exec_self("after", process_id);
}

static void* wait_for_ever(void* unused) {
    for (;;) syscall(SYS_ppoll, NULL, 0L, NULL, NULL, 0L);
    return unused;
}

int main(int argc, char** argv) {
    begin();
    if (argc == 3 && strcmp(argv[1], "after") == 0) {
        mark_times(AFTER, 5);
        require(getpid() == atoi(argv[2]), "the process id stays");
        require(current_tid() == getpid(), "the calling thread became the leader");
        expect_call(BEFORE, 3);
        expect_call(IN_THREAD, 4);
        expect_call(AFTER, 5);
        expect_call(SYS_execve, 2);
        expect_processes(1);
        return 0;
    }
    mark_times(BEFORE, 3);
    snprintf(process_id, sizeof process_id, "%d", getpid());
    for (int i = 0; i < 3; ++i) start_thread(wait_for_ever, NULL);
    join_thread(start_thread(execute, NULL));
    return TRACEE_BROKEN;
}
