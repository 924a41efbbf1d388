// 64-bit processes that are hot in `syscall`, in int 0x80, or in both in turn, and then make calls of either
// kind that nobody has made: a filter that lets a number through does so for one ABI only.
#include "hot.h"

#include <setjmp.h>

enum { I386_GETPGID = 132, I386_SCHED_GETSCHEDULER = 157, KINDS = 3, EACH = 5 };

static sigjmp_buf refused;

static void on_fault(int signal_number) { siglongjmp(refused, signal_number); }

static void call_by_int80(int times) {
    for (int i = 0; i < times; ++i) {
        require(int80(I386_GETPGID, 0, 0, 0) == getpgrp(), "a 32-bit call has its 32-bit meaning");
        require(int80(I386_SCHED_GETSCHEDULER, UINT32_MAX, 0, 0) == -EINVAL, "the kernel answers");
    }
}

static _Noreturn void be_hot(int kind) {
    for (int i = 0; i < HOT_CALLS; ++i) {
        if (kind != 1) call_hotly(1);
        if (kind != 0) call_by_int80(1);
    }
    for (int i = 0; i < EACH; ++i) {
        const int number = FRESH + kind * EACH + i;
        require(int80((uint32_t)number, 0, 0, 0) == -ENOSYS, "the kernel does not know the number");
        call_fresh(kind * EACH + i);
    }
    // Known as a 64-bit call and, with another meaning (getpriority), as none of 32 bits.
    if (kind == 0) int80(SYS_getpriority, UINT32_MAX, 0, 0);
    _exit(0);
}

int main(void) {
    begin();
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(refused, 1) != 0) skip("the kernel takes no 32-bit calls");
    int80(I386_GETPGID, 0, 0, 0);
    signal(SIGSEGV, SIG_DFL);
    for (int kind = 0; kind < KINDS; ++kind) {
        const pid_t pid = fork_child();
        if (pid == 0) be_hot(kind);
        wait_success(pid);
    }
    for (int i = 0; i < KINDS * EACH; ++i) expect_call_of("i386", (uint32_t)(FRESH + i), 1);
    expect_fresh(0, KINDS * EACH);
    expect_call_of("i386", SYS_getpriority, 1);
    expect_processes(1 + KINDS);
    return 0;
}
