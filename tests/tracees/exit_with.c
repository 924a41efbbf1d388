// Exits with the status given as the first argument (42 without one).
#include "tracee.h"

int main(int argc, char** argv) {
    begin();
    mark_times(SYS_getpgid, 3);
    expect_call(SYS_getpgid, 3);
    expect_call(SYS_exit_group, 1);
    expect_processes(1);
    return argc > 1 ? atoi(argv[1]) : 42;
}
