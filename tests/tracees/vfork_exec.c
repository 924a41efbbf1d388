// vfork: the parent does not run until the child has executed something or ended, so a tracer that waits for
// the parent waits for ever. posix_spawn does the same by clone.
#include "tracee.h"

#include <spawn.h>

enum {
    ROUNDS = 20,
    BEFORE_EXEC = SYS_getpgid,
    AFTER_EXEC = SYS_getsid,
    WITHOUT_EXEC = SYS_timer_getoverrun,
    IN_PARENT = SYS_sched_get_priority_max,
};

extern char** environ;

static pid_t vfork_and_exec(const char* path) {
    char* const arguments[] = {(char*)path, "child", NULL};
    const pid_t pid = vfork();
    if (pid == 0) {
        mark(BEFORE_EXEC);
        execv(path, arguments);
        _exit(TRACEE_BROKEN);
    }
    return pid;
}

static pid_t vfork_and_exit(void) {
    const pid_t pid = vfork();
    if (pid == 0) {
        mark(WITHOUT_EXEC);
        _exit(0);
    }
    return pid;
}

static pid_t spawn(const char* path) {
    char* const arguments[] = {(char*)path, "child", NULL};
    pid_t pid;
    errno = posix_spawn(&pid, path, NULL, NULL, arguments, environ);
    if (errno != 0) die("posix_spawn");
    return pid;
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        mark(AFTER_EXEC);
        return 0;
    }
    const char* const path = own_path();
    for (int i = 0; i < ROUNDS; ++i) {
        const pid_t executing = vfork_and_exec(path);
        if (executing < 0) die("vfork");
        mark(IN_PARENT);
        wait_success(executing);
        const pid_t exiting = vfork_and_exit();
        if (exiting < 0) die("vfork");
        wait_success(exiting);
        wait_success(spawn(path));
    }
    expect_call(BEFORE_EXEC, ROUNDS);
    expect_call(AFTER_EXEC, 2 * ROUNDS);
    expect_call(WITHOUT_EXEC, ROUNDS);
    expect_call(IN_PARENT, ROUNDS);
    expect_call(SYS_execve, 1 + 2 * ROUNDS);
    expect_processes(1 + 3 * ROUNDS);
    return 0;
}
