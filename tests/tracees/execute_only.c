// A program that may be executed but not read: its memory is closed to an unprivileged tracer from the execve
// on. Root may read everything, so root's child gives up its privileges first.
#include "tracee.h"

#include <grp.h>

enum { BEFORE = SYS_getpgid, AFTER = SYS_getsid, NOBODY = 65534, CANNOT = 77 };

static void copy_program(const char* target) {
    const int from = open(own_path(), O_RDONLY | O_CLOEXEC);
    const int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (from < 0 || to < 0) die("open");
    char buffer[16 * 1024];
    for (;;) {
        const ssize_t length = read(from, buffer, sizeof buffer);
        if (length < 0) die("read");
        if (length == 0) break;
        if (write(to, buffer, (size_t)length) != length) die("write");
    }
    if (fchmod(to, 0111) != 0) die("fchmod");
    close(from);
    close(to);
}

static _Noreturn void execute(const char* program) {
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) != 0)) {
        _exit(CANNOT);
    }
    if (access(program, R_OK) == 0) _exit(CANNOT);
    mark_times(BEFORE, 3);
    char* const arguments[] = {(char*)program, "inner", NULL};
    execv(program, arguments);
    _exit(CANNOT);
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "inner") == 0) {
        mark_times(AFTER, 5);
        const pid_t child = fork_child();
        if (child == 0) {
            mark_times(AFTER, 2);
            _exit(0);
        }
        wait_success(child);
        printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
        return 9;
    }
    const char* const folder = make_temporary_folder();
    char program[PATH_MAX + 16];
    snprintf(program, sizeof program, "%s/program", folder);
    copy_program(program);
    if (chmod(folder, 0711) != 0) die("chmod");
    const pid_t child = fork_child();
    if (child == 0) execute(program);
    const int status = wait_status(child);
    unlink(program);
    rmdir(folder);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
        skip("no execute-only program can be executed here");
    print_status("execute-only program", status);
    expect_call(BEFORE, 3);
    expect_call(AFTER, 7);
    expect_processes(3);
    return 0;
}
