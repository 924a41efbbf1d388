// A filter of the program's own that answers a call with an errno: the attempt is a call all the same.
// Children and executed programs keep the filter.
#include "own_filter.h"

enum { DENIED = SYS_getpgid, ALLOWED = SYS_getsid };

static void try_both(void) {
    for (int i = 0; i < 5; ++i) require(mark(DENIED) == -1 && errno == EDOM, "the filter answers");
    for (int i = 0; i < 4; ++i) require(mark(ALLOWED) == -1 && errno == ESRCH, "the kernel answers");
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "after") == 0) {
        try_both();
        expect_call(DENIED, 1 + 3 * 5);
        expect_call(ALLOWED, 3 * 4);
        expect_call(SYS_seccomp, 1);
        expect_processes(2);
        return 0;
    }
    require(mark(DENIED) == -1 && errno == ESRCH, "before the filter the kernel answers");
    const struct verdict verdict = {DENIED, SECCOMP_RET_ERRNO | EDOM};
    install_filter_or_skip(&verdict, 1, 0);
    try_both();
    const pid_t child = fork_child();
    if (child == 0) {
        try_both();
        _exit(0);
    }
    wait_success(child);
    exec_self("after", NULL);
}
