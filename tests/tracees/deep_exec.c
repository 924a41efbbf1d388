// Executes itself 50 times in a row, in one process.
#include "tracee.h"

enum { TIMES = 50 };

int main(int argc, char** argv) {
    begin();
    const int done = argc > 1 ? atoi(argv[1]) : 0;
    mark(SYS_getpgid);
    if (done < TIMES) {
        char next[16];
        snprintf(next, sizeof next, "%d", done + 1);
        exec_self(next, NULL);
    }
    expect_call(SYS_getpgid, TIMES + 1);
    expect_call(SYS_execve, TIMES + 1);
    expect_processes(1);
    return 0;
}
