// SIGTSTP with a handler, which puts things in order and then stops the process by the default action, as
// editors do; and SIGCONT with a handler.
#include "tracee.h"

enum {
    ON_TSTP = SYS_getpgid,
    ON_CONT = SYS_getsid,
    AFTER = SYS_timer_getoverrun,
    WHILE_STOPPED = SYS_timer_delete
};

static void on_cont(int signal_number) {
    (void)signal_number;
    mark(ON_CONT);
}

static void on_tstp(int signal_number) {
    mark(ON_TSTP);
    sigset_t tstp_only;
    sigemptyset(&tstp_only);
    sigaddset(&tstp_only, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    raise(signal_number);
    sigprocmask(SIG_UNBLOCK, &tstp_only, NULL);  // Here the process stops.
    signal(SIGTSTP, on_tstp);
}

static _Noreturn void stop_twice(void) {
    // An alarm does not end a stopped process; the parent's end does.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // In a process group without a parent in the same session SIGTSTP would be ignored.
    if (setpgid(0, 0) != 0) die("setpgid");
    signal(SIGTSTP, on_tstp);
    signal(SIGCONT, on_cont);
    for (int i = 0; i < 2; ++i) {
        raise(SIGTSTP);
        mark(AFTER);
    }
    _exit(6);
}

int main(void) {
    begin();
    const pid_t child = fork_child();
    if (child == 0) stop_twice();
    int stops = 0;
    for (;;) {
        int status;
        if (waitpid(child, &status, WUNTRACED) < 0) {
            if (errno == EINTR) continue;
            die("waitpid");
        }
        if (!WIFSTOPPED(status)) {
            print_status("child", status);
            break;
        }
        for (int i = 0; i < 100; ++i) {
            mark(WHILE_STOPPED);
            require(is_stopped(child), "the child remains stopped");
        }
        printf("stop %d by signal %d\n", ++stops, WSTOPSIG(status));
        kill(child, SIGCONT);
    }
    expect_call(ON_TSTP, 2);
    expect_call(ON_CONT, 2);
    expect_call(AFTER, 2);
    expect_call(WHILE_STOPPED, 200);
    expect_processes(2);
    return 0;
}
