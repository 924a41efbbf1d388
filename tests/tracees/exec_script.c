// Scripts: what is executed is the interpreter, here one's own program; also for a script whose interpreter
// is a script. A text without an interpreter is ENOEXEC.
#include "tracee.h"

enum { BEFORE = SYS_getpgid, IN_INTERPRETER = SYS_getsid, AFTER_FAILURE = SYS_timer_getoverrun };

/// The longest first line that all kernels take.
enum { LONGEST_LINE = 126 };

static void write_script(const char* path, const char* text) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (fd < 0) die("open");
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) die("write");
    close(fd);
}

static int execute(const char* path) {
    const pid_t child = fork_child();
    if (child == 0) {
        mark(BEFORE);
        char* const arguments[] = {(char*)path, NULL};
        execv(path, arguments);
        const int error = errno;
        mark(AFTER_FAILURE);
        _exit(error == ENOEXEC ? 10 : TRACEE_BROKEN);
    }
    return wait_status(child);
}

int main(int argc, char** argv) {
    begin();
    if (argc > 2 && strcmp(argv[1], "interpret") == 0) {
        mark(IN_INTERPRETER);
        printf("interpreting %s\n", strrchr(argv[argc - 1], '/') + 1);
        return argc;
    }
    const char* const folder = make_temporary_folder();
    char interpreter[PATH_MAX + 16];
    char simple[PATH_MAX + 16];
    char indirect[PATH_MAX + 16];
    char bare[PATH_MAX + 16];
    char line[2 * PATH_MAX];
    snprintf(interpreter, sizeof interpreter, "%s/i", folder);
    snprintf(simple, sizeof simple, "%s/simple", folder);
    snprintf(indirect, sizeof indirect, "%s/indirect", folder);
    snprintf(bare, sizeof bare, "%s/bare", folder);
    if (symlink(own_path(), interpreter) != 0) die("symlink");
    snprintf(line, sizeof line, "#!%s interpret\n", interpreter);
    write_script(simple, line);
    const bool lines_fit = strlen(line) < LONGEST_LINE;
    snprintf(line, sizeof line, "#!%s\n", simple);
    write_script(indirect, line);
    write_script(bare, "exit 0\n");

    const int simple_status = lines_fit ? execute(simple) : 0;
    const int indirect_status = lines_fit ? execute(indirect) : 0;
    const int bare_status = lines_fit ? execute(bare) : 0;
    unlink(interpreter);
    unlink(simple);
    unlink(indirect);
    unlink(bare);
    rmdir(folder);
    if (!lines_fit) skip("the path of the temporary folder is too long for a script's first line");

    print_status("simple", simple_status);
    print_status("indirect", indirect_status);
    print_status("bare", bare_status);
    expect_call(BEFORE, 3);
    expect_call(IN_INTERPRETER, 2);
    expect_call(AFTER_FAILURE, 1);
    expect_call(SYS_execve, 1 + 3);
    expect_processes(4);
    return 0;
}
