// The process ends while other threads are blocked in calls: those never return, and were made nevertheless.
#include "tracee.h"

#include <linux/futex.h>
#include <sys/epoll.h>

enum { KERNEL_SIGSET_SIZE = 8 };

static uint64_t only_usr2(void) { return UINT64_C(1) << (SIGUSR2 - 1); }

static void wait_for_signal(void) {
    const uint64_t wanted = only_usr2();
    syscall(SYS_rt_sigtimedwait, &wanted, NULL, NULL, KERNEL_SIGSET_SIZE);
}

static void wait_in_epoll(void) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    struct epoll_event event;
    syscall(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, KERNEL_SIGSET_SIZE);
}

static void suspend(void) {
    const uint64_t blocked = ~UINT64_C(0);
    syscall(SYS_rt_sigsuspend, &blocked, KERNEL_SIGSET_SIZE);
}

static void wait_on_futex(void) {
    static uint32_t word;
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

#if defined(SYS_pause)
static void pause_for_ever(void) { syscall(SYS_pause); }
#endif

static struct {
    void (*block)(void);
    long number;
    _Atomic pid_t tid;
} waiters[] = {
    {wait_for_signal, SYS_rt_sigtimedwait, 0},
    {wait_in_epoll, SYS_epoll_pwait, 0},
    {suspend, SYS_rt_sigsuspend, 0},
    {wait_on_futex, SYS_futex, 0},
#if defined(SYS_pause)
    {pause_for_ever, SYS_pause, 0},
#endif
};
enum { WAITERS = sizeof waiters / sizeof waiters[0] };

static void* in_thread(void* argument) {
    const int index = (int)(intptr_t)argument;
    atomic_store(&waiters[index].tid, current_tid());
    waiters[index].block();
    printf("call %d of the list has returned\n", index);
    return NULL;
}

int main(void) {
    begin();
    for (int i = 0; i < WAITERS; ++i) {
        start_thread(in_thread, (void*)(intptr_t)i);
        while (atomic_load(&waiters[i].tid) == 0) sched_yield();
        wait_until_asleep(getpid(), atomic_load(&waiters[i].tid));
    }
    for (int i = 0; i < WAITERS; ++i) {
        if (waiters[i].number == SYS_futex) {
            expect_atleast(SYS_futex, 1);  // libc makes such calls, too.
        } else {
            expect_call(waiters[i].number, 1);
        }
    }
    expect_call(SYS_exit_group, 1);
    expect_absent(SYS_exit);
    expect_processes(1);
    syscall(SYS_exit_group, 9);
    return TRACEE_BROKEN;
}
