// A hot process that was root and is nobody, and one of whose threads some are root and one is nobody: who
// may load a filter differs between them (root).
#include "hot.h"

#include <grp.h>

enum { NOBODY = 65534, HOT_THREADS = 3 };

static _Atomic bool done;
static _Atomic int calls;

/// Of the calling thread alone, past libc.
static void become_nobody(void) {
    if (syscall(SYS_setgroups, 0L, NULL) != 0) die("setgroups");
    if (syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) != 0) die("setresgid");
    if (syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) != 0) die("setresuid");
}

static void* be_hot(void* which) {
    if ((intptr_t)which == 1) become_nobody();
    call_hotly_until(&done, &calls);
    call_fresh((int)(intptr_t)which);
    return NULL;
}

int main(void) {
    if (geteuid() != 0) skip("only root has privileges to drop");
    begin();
    const pid_t all_of_it = fork_child();
    if (all_of_it == 0) {
        become_nobody();
        call_hotly(HOT_CALLS);
        call_fresh(0);
        require(getuid() == NOBODY && geteuid() == NOBODY, "it is nobody");
        require(setuid(0) == -1 && errno == EPERM, "there is no way back");
        _exit(0);
    }
    wait_success(all_of_it);
    const pid_t one_thread = fork_child();
    if (one_thread == 0) {
        pthread_t threads[HOT_THREADS];
        for (int i = 0; i < HOT_THREADS; ++i) threads[i] = start_thread(be_hot, (void*)(intptr_t)(1 + i));
        call_hotly_up_to(HOT_CALLS, &calls);
        atomic_store(&done, true);
        for (int i = 0; i < HOT_THREADS; ++i) join_thread(threads[i]);
        require(geteuid() == 0, "the others are root");
        _exit(0);
    }
    wait_success(one_thread);
    expect_fresh(0, 1 + HOT_THREADS);
    expect_processes(3);
    return 0;
}
