// Hot children, with one thread or three, killed after so and so many calls: before a filter is loaded, after
// it, and meanwhile. Their parent learns how they ended.
#include "hot.h"

enum { CHILDREN = 100, MORE_THREADS = 2, CALLS_APART = 4 };

static struct moments* moments;

static void* be_hot(void* unused) {
    call_hotly_through(moments);
    return unused;
}

int main(void) {
    begin();
    moments = new_moments();
    int killed = 0;
    for (int i = 0; i < CHILDREN; ++i) {
        set_moments(moments, CALLS_WATCHED + (i - CHILDREN / 2) * CALLS_APART, INT_MAX);
        const pid_t pid = fork_child();
        if (pid == 0) {
            call_fresh(i);  // Something new, or a tracer may let all children run from their birth on.
            for (int thread = 0; i % 2 == 1 && thread < MORE_THREADS; ++thread) start_thread(be_hot, NULL);
            be_hot(NULL);
        }
        wait_for_moment(moments);
        if (kill(pid, SIGKILL) != 0) die("kill");
        const int status = wait_status(pid);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    printf("killed %d of %d\n", killed, CHILDREN);
    expect_fresh(0, CHILDREN);
    expect_processes(1 + CHILDREN);
    return 0;
}
