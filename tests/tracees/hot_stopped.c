// Hot processes with two threads that are stopped and continued from outside, after so and so many calls:
// before a filter is loaded, after it, and meanwhile. A stop holds, as long as it lasts, and the calls go on
// after it.
#include "hot.h"

enum { CHILDREN = 40, STOPS = 4, CALLS_APART = 5, CALLS_BETWEEN = 200 };

static struct moments* moments;

static void* be_hot(void* unused) {
    call_hotly_through(moments);
    return unused;
}

static void await_change(pid_t pid, int options) {
    int status;
    if (waitpid(pid, &status, options) != pid) die("waitpid");
    require(options == WUNTRACED ? WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP : WIFCONTINUED(status),
            "the parent is told");
}

int main(void) {
    begin();
    moments = new_moments();
    for (int i = 0; i < CHILDREN; ++i) {
        set_moments(moments, 1 + i * CALLS_APART, CALLS_BETWEEN);
        const pid_t pid = fork_child();
        if (pid == 0) {
            call_fresh(2 * i);  // Something new, or a tracer may let all children run from their birth on.
            const pthread_t other = start_thread(be_hot, NULL);
            be_hot(NULL);
            join_thread(other);
            call_fresh(2 * i + 1);
            _exit(0);
        }
        for (int stop = 0; stop < STOPS; ++stop) {
            wait_for_moment(moments);
            if (kill(pid, SIGSTOP) != 0) die("kill");
            await_change(pid, WUNTRACED);
            const int calls_then = atomic_load(&moments->calls);
            for (volatile int spin = 0; spin < 50000; ++spin) continue;
            require(atomic_load(&moments->calls) == calls_then, "it is stopped");
            if (kill(pid, SIGCONT) != 0) die("kill");
            await_change(pid, WCONTINUED);
        }
        atomic_store(&moments->done, true);
        wait_success(pid);
    }
    printf("stopped %d times\n", CHILDREN * STOPS);
    expect_fresh(0, 2 * CHILDREN);
    expect_processes(1 + CHILDREN);
    return 0;
}
