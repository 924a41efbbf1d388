// Killed while it creates children: nobody tells a tracer of those that were just born, and their parent is
// another. They have whatever filter their creator had, and no call of theirs may fail for it.
#include "hot.h"

enum { KILLED = 150, MOST_CHILDREN = 64 };

struct tally {
    _Atomic int children;
    _Atomic int refused;
};

static _Noreturn void create_for_ever(struct tally* tally) {
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < MOST_CHILDREN; ++i) {
        const pid_t pid = clone_like_fork(SIGCHLD);
        if (pid > 0) continue;
        if (pid < 0) die("clone");
        // Made by nobody before the creator was hot.
        if (syscall(SYS_getpgid, 0L) <= 0) atomic_fetch_add(&tally->refused, 1);
        atomic_fetch_add(&tally->children, 1);
        _exit(0);
    }
    for (;;) pause();
}

int main(void) {
    begin();
    struct tally* const tally = shared_memory(sizeof *tally);
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    const pid_t quiet = fork_child();  // That processes are created is known.
    if (quiet == 0) _exit(0);
    wait_success(quiet);
    call_hotly(3 * HOT_CALLS);
    for (int i = 0; i < KILLED; ++i) {
        const int before = atomic_load(&tally->children);
        const pid_t pid = fork_child();
        if (pid == 0) create_for_ever(tally);
        while (atomic_load(&tally->children) < before + i % 8) sched_yield();
        if (kill(pid, SIGKILL) != 0) die("kill");
        wait_status(pid);
    }
    // Until the last of them has ended.
    char byte;
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 0) die("read");
    printf("calls that failed: %d\n", atomic_load(&tally->refused));
    expect_atleast(SYS_getpgid, 1);
    return 0;
}
