// A process that stops itself by SIGSTOP: its parent is told, both of its threads stay stopped while the
// parent works, and SIGCONT lets it go on. A tracer that resumes a group stop like any other stop breaks
// this.
#include "tracee.h"

enum {
    ROUNDS = 3,
    WHILE_STOPPED = SYS_getpgid,
    AFTER_CONTINUE = SYS_getsid,
    IN_BUSY_THREAD = SYS_timer_getoverrun
};

static struct {
    _Atomic long busy_calls;
    _Atomic int continued;
    _Atomic int may_go_on;
} * shared;

static void* keep_calling(void* unused) {
    for (;;) {
        mark(IN_BUSY_THREAD);
        atomic_fetch_add(&shared->busy_calls, 1);
    }
    return unused;
}

static _Noreturn void stop_again_and_again(void) {
    // An alarm does not end a stopped process; the parent's end does.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    start_thread(keep_calling, NULL);
    while (atomic_load(&shared->busy_calls) == 0) sched_yield();
    for (int round = 1; round <= ROUNDS; ++round) {
        kill(getpid(), SIGSTOP);
        // Natively this thread stops here. Under any tracer the other one may have taken the signal and wait
        // to be told that it is delivered, and this one goes on until then; but not once the process has
        // stopped.
        mark_times(AFTER_CONTINUE, 5);
        atomic_fetch_add(&shared->continued, 1);
        // That it was continued can no longer be waited for once it stops again or ends.
        while (atomic_load(&shared->may_go_on) < round) sched_yield();
    }
    _exit(4);
}

static int wait_for(pid_t pid, int options) {
    int status;
    while (waitpid(pid, &status, options) != pid) {
        if (errno != EINTR) die("waitpid");
    }
    return status;
}

int main(void) {
    begin();
    shared = shared_memory(sizeof *shared);
    const pid_t child = fork_child();
    if (child == 0) stop_again_and_again();

    for (int round = 1; round <= ROUNDS; ++round) {
        const int stopped = wait_for(child, WUNTRACED);
        require(WIFSTOPPED(stopped) && WSTOPSIG(stopped) == SIGSTOP, "the child stops by SIGSTOP");
        require(is_stopped(child), "the child is stopped");
        const long busy_calls = atomic_load(&shared->busy_calls);
        const int continued = atomic_load(&shared->continued);
        for (int i = 0; i < 1000; ++i) {
            mark(WHILE_STOPPED);
            require(i % 100 != 0 || is_stopped(child), "the child remains stopped");
        }
        require(atomic_load(&shared->continued) == continued, "the stopping thread does not go on");
        require(atomic_load(&shared->busy_calls) == busy_calls, "the other thread does not go on");
        if (kill(child, SIGCONT) != 0) die("kill");
        require(WIFCONTINUED(wait_for(child, WCONTINUED)), "the child is reported as continued");
        while (atomic_load(&shared->continued) < round) sched_yield();
        atomic_store(&shared->may_go_on, round);
        printf("round %d: stopped, remained stopped, continued\n", round);
    }
    print_status("child", wait_status(child));
    expect_call(WHILE_STOPPED, 1000L * ROUNDS);
    expect_call(AFTER_CONTINUE, 5L * ROUNDS);
    expect_atleast(IN_BUSY_THREAD, 1);
    expect_processes(2);
    return 0;
}
