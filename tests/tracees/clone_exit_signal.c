// Children that end with another signal than SIGCHLD, or with none: a plain wait does not find them.
#include "tracee.h"

enum { WITHOUT_SIGNAL = SYS_getpgid, WITH_SIGUSR1 = SYS_getsid };

static volatile sig_atomic_t usr1_count;
static volatile sig_atomic_t chld_count;

static void on_usr1(int signal_number) { usr1_count += signal_number == SIGUSR1; }
static void on_chld(int signal_number) { chld_count += signal_number == SIGCHLD; }

static pid_t child_with_exit_signal(int exit_signal, long marker) {
    const pid_t pid = clone_like_fork((unsigned long)exit_signal);
    if (pid < 0) die("clone");
    if (pid > 0) return pid;
    arm_alarm();
    mark_times(marker, 5);
    _exit(0);
}

int main(void) {
    begin();
    signal(SIGUSR1, on_usr1);
    signal(SIGCHLD, on_chld);
    for (int i = 0; i < 10; ++i) {
        const pid_t silent = child_with_exit_signal(0, WITHOUT_SIGNAL);
        require(waitpid(silent, NULL, 0) == -1 && errno == ECHILD, "a plain wait does not find the child");
        wait_success(silent);
        wait_success(child_with_exit_signal(SIGUSR1, WITH_SIGUSR1));
    }
    printf("SIGUSR1 %d, SIGCHLD %d\n", (int)usr1_count, (int)chld_count);
    expect_call(WITHOUT_SIGNAL, 50);
    expect_call(WITH_SIGUSR1, 50);
    expect_processes(21);
    return 0;
}
