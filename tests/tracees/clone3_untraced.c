// CLONE_UNTRACED in clone3: the bit is in the caller's memory, which must look untouched afterwards, to the
// parent and to the child, which gets its copy in the middle of the call. Once in memory that is read-only.
#include "registers.h"

#include <linux/sched.h>

enum { FROM_STACK = SYS_getpgid, FROM_READ_ONLY_MEMORY = SYS_getsid, ROUNDS = 10 };

static const struct clone_args pristine = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};

/// Volatile keeps the compiler from knowing what is in it; const puts it into a read-only section.
static const volatile struct clone_args read_only = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};

static bool unchanged(const volatile struct clone_args* arguments) {
    return memcmp((const void*)arguments, &pristine, sizeof pristine) == 0;
}

static void clone_once(const volatile struct clone_args* arguments, long marker) {
    bool preserved;
    const long pid = call_and_look(SYS_clone3, (long)arguments, sizeof *arguments, &preserved);
    if (pid == 0) {
        arm_alarm();
        mark_times(marker, 5);
        _exit((preserved ? 0 : 1) | (unchanged(arguments) ? 0 : 2));
    }
    if (pid == -ENOSYS || pid == -E2BIG) skip("the kernel has no clone3, or an old one");
    require(pid > 0, "clone3 with CLONE_UNTRACED works");
    const int status = wait_status((pid_t)pid);
    if (status != 0) print_status("child", status);
    if (!preserved) printf("parent: a register was changed\n");
    if (!unchanged(arguments)) printf("parent: struct clone_args was changed\n");
}

int main(void) {
    begin();
    struct clone_args on_stack = pristine;
    for (int i = 0; i < ROUNDS; ++i) {
        clone_once(&on_stack, FROM_STACK);
        clone_once(&read_only, FROM_READ_ONLY_MEMORY);
    }
    expect_call(FROM_STACK, 5 * ROUNDS);
    expect_call(FROM_READ_ONLY_MEMORY, 5 * ROUNDS);
    expect_call(SYS_clone3, 2 * ROUNDS);
    expect_processes(1 + 2 * ROUNDS);
    return 0;
}
