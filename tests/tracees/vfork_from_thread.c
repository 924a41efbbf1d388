// vfork from a thread while others run: only the calling thread waits for the child.
#include "tracee.h"

enum {
    ROUNDS = 30,
    BEFORE_EXEC = SYS_getpgid,
    AFTER_EXEC = SYS_getsid,
    IN_BUSY_THREAD = SYS_timer_getoverrun
};

static _Atomic bool finished;
static _Atomic int busy_threads;

static void* keep_calling(void* unused) {
    mark(IN_BUSY_THREAD);
    atomic_fetch_add(&busy_threads, 1);
    while (!atomic_load(&finished)) mark(IN_BUSY_THREAD);
    return unused;
}

static pid_t vfork_and_exec(const char* path) {
    char* const arguments[] = {(char*)path, "child", NULL};
    const pid_t pid = vfork();
    if (pid == 0) {
        mark(BEFORE_EXEC);
        execv(path, arguments);
        _exit(TRACEE_BROKEN);
    }
    return pid;
}

static void* start_children(void* path) {
    for (int i = 0; i < ROUNDS; ++i) {
        const pid_t child = vfork_and_exec(path);
        if (child < 0) die("vfork");
        wait_success(child);
    }
    return NULL;
}

int main(int argc, char** argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        mark(AFTER_EXEC);
        return 0;
    }
    pthread_t busy[3];
    for (int i = 0; i < 3; ++i) busy[i] = start_thread(keep_calling, NULL);
    while (atomic_load(&busy_threads) < 3) sched_yield();
    join_thread(start_thread(start_children, (void*)own_path()));
    atomic_store(&finished, true);
    for (int i = 0; i < 3; ++i) join_thread(busy[i]);
    expect_call(BEFORE_EXEC, ROUNDS);
    expect_call(AFTER_EXEC, ROUNDS);
    expect_call(SYS_execve, 1 + ROUNDS);
    expect_atleast(IN_BUSY_THREAD, 3);
    expect_processes(1 + ROUNDS);
    return 0;
}
