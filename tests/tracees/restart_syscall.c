// Sleeping calls that go on after SIGSTOP and SIGCONT as restart_syscall, which nobody writes into a program.
#include "tracee.h"

#include <linux/futex.h>
#include <poll.h>

enum { CALLS = 3 };

static volatile sig_atomic_t handled;

static void on_usr1(int signal_number) { handled += signal_number == SIGUSR1; }

/// Sleeps in one of the calls until a handler interrupts it.
static long sleep_in_call(int which) {
    static uint32_t word;
    const struct timespec ages = {.tv_sec = 1000};
    struct pollfd nothing = {.fd = -1};
    switch (which) {
        case 0:
            return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ages, NULL);
        case 1:
            return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ages, NULL, 0);
        default:
#if defined(SYS_poll)
            return syscall(SYS_poll, &nothing, 1, -1);
#else
            return syscall(SYS_nanosleep, &ages, &nothing);
#endif
    }
}

static void wait_for(pid_t pid, int options, bool (*happened)(int)) {
    int status;
    while (waitpid(pid, &status, options) != pid) {
        if (errno != EINTR) die("waitpid");
    }
    require(happened(status), "the child stops and continues");
}

static bool stopped(int status) { return WIFSTOPPED(status); }
static bool continued(int status) { return WIFCONTINUED(status); }

int main(void) {
    begin();
    for (int which = 0; which < CALLS; ++which) {
        int ready[2];
        if (pipe(ready) != 0) die("pipe");
        const pid_t child = fork_child();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            struct sigaction action = {.sa_handler = on_usr1};
            sigaction(SIGUSR1, &action, NULL);
            if (write(ready[1], "x", 1) != 1) die("write");
            const long result = sleep_in_call(which);
            const int error = errno;
            mark(SYS_getpgid);
            _exit(result == -1 && error == EINTR && handled == 1 ? 0 : 1);
        }
        char byte;
        while (read(ready[0], &byte, 1) != 1) require(errno == EINTR, "the child gets ready");
        wait_until_asleep(child, child);
        kill(child, SIGSTOP);
        wait_for(child, WUNTRACED, stopped);
        kill(child, SIGCONT);
        wait_for(child, WCONTINUED, continued);
        // Asleep again, now in restart_syscall.
        wait_until_asleep(child, child);
        kill(child, SIGUSR1);
        print_status("interrupted by a handler", wait_status(child));
    }
    expect_atleast(SYS_restart_syscall, CALLS);
    expect_call(SYS_getpgid, CALLS);
    expect_processes(1 + CALLS);
    return 0;
}
