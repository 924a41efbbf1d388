// Processes with hot threads, one of which executes the program anew, as leader or not, after so and so many
// calls: before a filter is loaded, after it, and while another thread is being made to load it.
#include "hot.h"

enum { CHILDREN = 50, HOT_THREADS = 2, CALLS_APART = 4 };

static const _Atomic bool never;
static _Atomic int calls;
static char number[16];
static int moment;

static void* be_hot(void* unused) {
    call_hotly_until(&never, &calls);
    return unused;
}

static void* execute_in_time(void* unused) {
    call_hotly_up_to(moment, &calls);
    exec_self(number, NULL);
    return unused;
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1) {
        call_fresh(atoi(argv[1]));
        return 0;
    }
    for (int i = 0; i < CHILDREN; ++i) {
        const pid_t pid = fork_child();
        if (pid == 0) {
            moment = CALLS_WATCHED + (i - CHILDREN / 2) * CALLS_APART;
            snprintf(number, sizeof number, "%d", i);
            for (int thread = 0; thread < HOT_THREADS; ++thread) start_thread(be_hot, NULL);
            if (i % 2 == 0) {
                execute_in_time(NULL);
            } else {
                start_thread(execute_in_time, NULL);
                be_hot(NULL);
            }
        }
        wait_success(pid);
    }
    expect_fresh(0, CHILDREN);
    expect_processes(1 + CHILDREN);
    return 0;
}
