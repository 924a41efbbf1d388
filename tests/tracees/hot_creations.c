// A hot process that creates threads and processes in turn, each in several ways: what one call creates is no
// sign of what the next creates. Each child makes a call that nobody else makes, some after an execve, which
// ends the other threads of the child's process and of no other.
#include "hot.h"

#include <linux/sched.h>

enum { ROUNDS = 10, IN_ROUND = 6 };

static _Atomic bool done;

static void* make_call(void* which) {
    call_fresh((int)(intptr_t)which);
    return NULL;
}

static void* stay(void* unused) {
    while (!atomic_load(&done)) call_hotly(10);
    return unused;
}

static void create_thread(int which) { join_thread(start_thread(make_call, (void*)(intptr_t)which)); }

static void create_process(pid_t pid, int which) {
    if (pid < 0) die("create a process");
    if (pid == 0) {
        mark(FRESH + which);
        _exit(0);
    }
    wait_success(pid);
}

static void create_program(pid_t pid, int which) {
    if (pid < 0) die("create a process");
    char number[16];
    if (pid == 0) {
        arm_alarm();
        snprintf(number, sizeof number, "%d", which);
        exec_self(number, NULL);
    }
    wait_success(pid);
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1) {
        call_fresh(atoi(argv[1]));
        return 0;
    }
    // Everything is known before the process is hot.
    create_thread(0);
    create_process(fork(), 1);
    create_process(clone_like_fork(SIGCHLD), 2);
    create_program(fork(), 3);
    const pthread_t other = start_thread(stay, NULL);
    call_hotly(3 * HOT_CALLS);
    for (int round = 1; round <= ROUNDS; ++round) {
        const int first = IN_ROUND * round;
        create_thread(first);
        create_process(fork(), first + 1);
        create_thread(first + 2);
        create_process(clone_like_fork(SIGCHLD), first + 3);
        create_thread(first + 4);
        create_program(fork(), first + 5);
    }
    atomic_store(&done, true);
    join_thread(other);
    expect_fresh(0, 4);
    expect_fresh(IN_ROUND, ROUNDS * IN_ROUND);
    expect_processes(1 + 3 + ROUNDS * 3);
    return 0;
}
