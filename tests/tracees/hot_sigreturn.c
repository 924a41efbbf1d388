// Hot within signal handlers on the alternate stack, and by coming from and going to them, by rt_sigreturn or
// by siglongjmp. The signal mask, the alternate stack and the memory on both are as ever.
#include "hot.h"

#include <setjmp.h>

enum { SHORT_STAYS = 400, WAYS = 2 };

static char alternate_stack[64 * 1024];
static sigjmp_buf out_of_handler;
static volatile sig_atomic_t stay;
static volatile sig_atomic_t jumps;

static bool only_blocked(int signal_number) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    for (int i = 1; i < SIGRTMIN; ++i) {
        if (sigismember(&now, i) == 1 && i != signal_number) return false;
    }
    return signal_number == 0 || sigismember(&now, signal_number) == 1;
}

static void on_signal(int signal_number) {
    stack_t stack;
    volatile uint64_t pattern[32];
    for (int i = 0; i < 32; ++i) pattern[i] = (uint64_t)i * 0x0101010101010101;
    call_hotly(stay);
    if (sigaltstack(NULL, &stack) != 0) die("sigaltstack");
    require(stack.ss_flags == SS_ONSTACK, "the handler is on its stack");
    require(only_blocked(signal_number), "the handler has its mask");
    for (int i = 0; i < 32; ++i) require(pattern[i] == (uint64_t)i * 0x0101010101010101, "the stack is kept");
    if (jumps) siglongjmp(out_of_handler, signal_number);
}

static void be_signalled(int calls_in_handler) {
    stack_t stack;
    volatile uint64_t pattern[32];
    for (int i = 0; i < 32; ++i) pattern[i] = ~(uint64_t)i * 0x0101010101010101;
    stay = calls_in_handler;
    if (!jumps || sigsetjmp(out_of_handler, 1) == 0) raise(SIGUSR1);
    require(only_blocked(0), "the mask is restored");
    if (sigaltstack(NULL, &stack) != 0) die("sigaltstack");
    require(stack.ss_flags == 0, "the alternate stack is left");
    for (int i = 0; i < 32; ++i)
        require(pattern[i] == ~(uint64_t)i * 0x0101010101010101, "the stack is kept");
}

int main(void) {
    begin();
    const stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) die("sigaction");
    for (int way = 0; way < 2 * WAYS; ++way) {
        const pid_t pid = fork_child();
        if (pid == 0) {
            jumps = way % 2;
            const bool stays_long = way / 2 == 0;
            for (int i = 0; i < (stays_long ? 2 : SHORT_STAYS); ++i) be_signalled(stays_long ? HOT_CALLS : 2);
            call_fresh(way);
            _exit(0);
        }
        wait_success(pid);
    }
    printf("stacks and masks are as ever\n");
    expect_fresh(0, 2 * WAYS);
    expect_processes(1 + 2 * WAYS);
    return 0;
}
