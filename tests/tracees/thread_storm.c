// 400 threads that are all alive at once, each with a number of calls of its own.
#include "tracee.h"

enum { THREADS = 400, KINDS = 8 };

static pthread_barrier_t all_alive;

static const long marker_of_kind[KINDS] = {
    SYS_getpgid,         SYS_getsid,           SYS_timer_getoverrun, SYS_sched_get_priority_max,
    SYS_timerfd_gettime, SYS_inotify_rm_watch, SYS_fdatasync,        SYS_epoll_ctl,
};

static int calls_of_thread(int index) { return index % 37; }

static void* in_thread(void* argument) {
    const int index = (int)(intptr_t)argument;
    pthread_barrier_wait(&all_alive);
    mark_times(marker_of_kind[index % KINDS], calls_of_thread(index));
    pthread_barrier_wait(&all_alive);
    mark(SYS_setfsuid);
    return NULL;
}

int main(void) {
    begin();
    pthread_barrier_init(&all_alive, NULL, THREADS);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) threads[i] = start_thread(in_thread, (void*)(intptr_t)i);
    for (int i = 0; i < THREADS; ++i) join_thread(threads[i]);

    long calls[KINDS] = {0};
    for (int i = 0; i < THREADS; ++i) calls[i % KINDS] += calls_of_thread(i);
    for (int i = 0; i < KINDS; ++i) expect_call(marker_of_kind[i], calls[i]);
    expect_call(SYS_setfsuid, THREADS);
    expect_processes(1);
    return 0;
}
