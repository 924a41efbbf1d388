// CLONE_UNTRACED asks the kernel to hide the child from our tracer, which has to clear the bit on the way in
// and to put the register right on the way out, in parent and child.
#include "registers.h"

enum { FORKED = SYS_getpgid, FORKED_TWICE = SYS_getsid, SHARING_MEMORY = SYS_timer_getoverrun };

static int child_with_memory_shared(void* unused) {
    (void)unused;
    mark_times(SHARING_MEMORY, 7);
    return 0;
}

int main(void) {
    begin();
    for (int i = 0; i < 10; ++i) {
        bool preserved;
        const long pid = call_and_look(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, &preserved);
        if (pid == 0) {
            arm_alarm();
            mark_times(FORKED, 5);
            const pid_t grandchild = fork_child();
            if (grandchild == 0) {
                mark_times(FORKED_TWICE, 3);
                _exit(0);
            }
            wait_success(grandchild);
            _exit(preserved ? 0 : 1);
        }
        require(pid > 0, "clone with CLONE_UNTRACED works");
        const int status = wait_status((pid_t)pid);
        if (status != 0) print_status("child", status);
        if (!preserved) printf("parent: a register was changed\n");
    }

    static char stack[64 * 1024] __attribute__((aligned(16)));
    const pid_t sharing = clone(child_with_memory_shared, stack + sizeof stack,
                                CLONE_UNTRACED | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    if (sharing < 0) die("clone with CLONE_VM");
    wait_success(sharing);

    expect_call(FORKED, 50);
    expect_call(FORKED_TWICE, 30);
    expect_call(SHARING_MEMORY, 7);
    expect_processes(22);
    return 0;
}
