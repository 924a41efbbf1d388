// A 32-bit program that becomes a 64-bit one: the execve is a 32-bit call and returns in the other ABI.
#include "tracee.h"

#if !defined(__i386__)
#error "to be compiled with -m32"
#endif

int main(int argc, char** argv) {
    begin();
    const char* const program = argc > 1 ? argv[1] : sibling_path("tracee_counts");
    if (access(program, X_OK) != 0) skip("there is no 64-bit tracee to execute");
    mark_times(SYS_sched_get_priority_max, 3);

    // The 64-bit tracee prints the rest.
    expect_call(SYS_sched_get_priority_max, 3);
    expect_call(SYS_execve, 1);
    char* const arguments[] = {(char*)program, NULL};
    execv(program, arguments);
    die("execv");
}
