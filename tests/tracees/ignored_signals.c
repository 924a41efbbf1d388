// Ignored signals: nothing is delivered, a blocked read goes on, children vanish without being waited for,
// and an execve keeps the dispositions. (Calls which an ignored signal interrupts only under a tracer are
// left out.)
#include "tracee.h"

enum { AFTER_EXEC = SYS_getpgid, IN_CHILD = SYS_getsid };

static pid_t main_tid;
static int ends[2];
static _Atomic bool reads_now;

static bool is_ignored(int signal_number) {
    struct sigaction action;
    if (sigaction(signal_number, NULL, &action) != 0) die("sigaction");
    return action.sa_handler == SIG_IGN;
}

static void* disturb_the_reader(void* unused) {
    while (!atomic_load(&reads_now)) sched_yield();
    for (int i = 0; i < 10; ++i) {
        wait_until_asleep(getpid(), main_tid);
        syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1);
    }
    if (write(ends[1], "x", 1) != 1) die("write");
    return unused;
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "after") == 0) {
        mark_times(AFTER_EXEC, 3);
        printf("after execve: USR1 %d, PIPE %d, CHLD %d, USR2 %d\n", is_ignored(SIGUSR1), is_ignored(SIGPIPE),
               is_ignored(SIGCHLD), is_ignored(SIGUSR2));
        expect_call(AFTER_EXEC, 3);
        expect_call(IN_CHILD, 20);
        expect_processes(21);
        return 0;
    }
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGUSR2, SIG_DFL);

    if (pipe(ends) != 0) die("pipe");
    main_tid = current_tid();
    const pthread_t helper = start_thread(disturb_the_reader, NULL);
    char byte;
    atomic_store(&reads_now, true);
    printf("read while an ignored signal comes: %d\n", (int)read(ends[0], &byte, 1));
    join_thread(helper);

    close(ends[0]);
    printf("write to a broken pipe: %d\n", write(ends[1], "x", 1) == -1 && errno == EPIPE);

    for (int i = 0; i < 20; ++i) {
        if (fork_child() == 0) {
            mark(IN_CHILD);
            _exit(i);
        }
    }
    int reaped = 0;
    for (;;) {
        if (waitpid(-1, NULL, 0) > 0) {
            ++reaped;
        } else if (errno != EINTR) {
            break;
        }
    }
    printf("children reaped: %d, no more: %d\n", reaped, errno == ECHILD);
    exec_self("after", NULL);
}
