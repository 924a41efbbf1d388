// An execve that fails, from a thread: nothing vanishes, and the threads go on.
#include "tracee.h"

enum { IN_OTHER_THREAD = SYS_getpgid, AFTER_FAILURE = SYS_getsid, IN_LEADER = SYS_timer_getoverrun };

static _Atomic bool finished;

static void* keep_calling(void* unused) {
    do mark(IN_OTHER_THREAD);
    while (!atomic_load(&finished));
    return unused;
}

static void fail_to_execute(const char* path, int error) {
    char* const arguments[] = {(char*)path, NULL};
    require(execv(path, arguments) == -1 && errno == error, path);
    mark(AFTER_FAILURE);
}

static void* execute_what_cannot(void* unused) {
    for (int i = 0; i < 10; ++i) {
        fail_to_execute("/nonexistent/program", ENOENT);
        fail_to_execute("/dev/null", EACCES);
        fail_to_execute("/proc/self/exe/program", ENOTDIR);
    }
    return unused;
}

int main(void) {
    begin();
    const pthread_t other = start_thread(keep_calling, NULL);
    join_thread(start_thread(execute_what_cannot, NULL));
    mark_times(IN_LEADER, 5);
    atomic_store(&finished, true);
    join_thread(other);
    // The first execve started this program.
    expect_call(SYS_execve, 1 + 30);
    expect_call(AFTER_FAILURE, 30);
    expect_call(IN_LEADER, 5);
    expect_atleast(IN_OTHER_THREAD, 1);
    expect_processes(1);
    return 0;
}
