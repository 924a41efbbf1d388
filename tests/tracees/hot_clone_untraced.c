// CLONE_UNTRACED, by clone and by clone3, from a hot process that has used both calls without the flag: the
// children are followed, and the registers stay as they were.
#include "registers.h"

#include <linux/sched.h>

#include "hot.h"

enum { ROUNDS = 10 };

static void create(bool by_clone3, unsigned long flags, int which) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    bool preserved;
    const long pid = by_clone3 ? call_and_look(SYS_clone3, (long)&arguments, sizeof arguments, &preserved)
                               : call_and_look(SYS_clone, (long)flags | SIGCHLD, 0, &preserved);
    if (pid == -ENOSYS) skip("the kernel has no clone3");
    if (pid == 0) {
        arm_alarm();
        call_fresh(which);
        _exit(preserved && arguments.flags == flags ? 0 : 1);
    }
    require(pid > 0, "a process is created");
    const int status = wait_status((pid_t)pid);
    if (status != 0) print_status("child", status);
    if (!preserved || arguments.flags != flags) printf("parent: a register or the structure was changed\n");
}

int main(void) {
    begin();
    create(true, 0, 0);
    create(false, 0, 1);
    call_hotly(3 * HOT_CALLS);
    for (int round = 1; round <= ROUNDS; ++round) {
        create(true, CLONE_UNTRACED, 4 * round);
        create(true, 0, 4 * round + 1);
        create(false, CLONE_UNTRACED, 4 * round + 2);
        create(false, 0, 4 * round + 3);
    }
    expect_fresh(0, 2);
    expect_fresh(4, 4 * ROUNDS);
    expect_processes(1 + 2 + 4 * ROUNDS);
    return 0;
}
