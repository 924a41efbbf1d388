// A 64-bit program that becomes a 32-bit one: the execve is a 64-bit call and returns in the other ABI.
// The program to execute is the first argument, or the tracee i386 beside this one.
#include "tracee.h"

int main(int argc, char** argv) {
    begin();
    const char* const program = argc > 1 ? argv[1] : sibling_path("tracee_i386");
    if (access(program, X_OK) != 0) skip("there is no 32-bit tracee to execute");
    mark_times(SYS_sched_get_priority_max, 3);

    // The 32-bit tracee prints the rest.
    expect_call(SYS_sched_get_priority_max, 3);
    // The first execve started this program.
    expect_call(SYS_execve, 2);
    expect_absent_of("i386", SYS_execve);
    char* const arguments[] = {(char*)program, NULL};
    execv(program, arguments);
    die("execv");
}
