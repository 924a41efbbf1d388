// 200 processes one after another with the very same id, which clone3 lets the privileged choose.
#include "tracee.h"

#include <linux/sched.h>

enum { PROCESSES = 200 };

/// An id far from those which are being given out.
static pid_t highest_id(void) {
    long limit = 0;
    FILE* const file = fopen("/proc/sys/kernel/pid_max", "re");
    if (file == NULL || fscanf(file, "%ld", &limit) != 1) skip("the highest process id cannot be read");
    fclose(file);
    return (pid_t)limit - 100;
}

int main(void) {
    begin();
    pid_t chosen = highest_id();
    int same = 0;
    pid_t previous = 0;
    for (int i = 0; i < PROCESSES; ++i) {
        pid_t pid;
        for (;;) {
            const struct clone_args arguments = {
                .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&chosen, .set_tid_size = 1};
            pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
            if (pid >= 0 || errno != EEXIST) break;
            --chosen;  // Somebody else has it, perhaps another run of this program.
        }
        if (pid < 0) {
            if (i == 0) skip("one cannot choose process ids here");
            die("clone3");
        }
        if (pid == 0) {
            arm_alarm();
            mark(SYS_getpgid);
            _exit(0);
        }
        require(pid == chosen, "the id is the chosen one");
        wait_success(pid);
        same += pid == previous;
        previous = pid;
    }
    require(same > PROCESSES / 2, "most processes have the id of the one before");
    expect_call(SYS_getpgid, PROCESSES);
    expect_processes(1 + PROCESSES);
    return 0;
}
