// Handlers on the alternate stack, nested, left by rt_sigreturn or by siglongjmp. The number of rt_sigreturn
// calls, which no libc function makes, is that of the handlers which returned.
#include "tracee.h"

#include <setjmp.h>

enum { DEEP = 5, ROUNDS = 20, IN_HANDLER = SYS_getpgid, AFTER_JUMP = SYS_getsid };

static char alternate_stack[128 * 1024];
static sigjmp_buf out_of_handler;
static volatile sig_atomic_t depth;
static volatile sig_atomic_t left_the_stack;

static void check_stack(void) {
    char local;
    const uintptr_t here = (uintptr_t)&local;
    const uintptr_t bottom = (uintptr_t)alternate_stack;
    if (here < bottom || here >= bottom + sizeof alternate_stack) ++left_the_stack;
}

static void on_nesting(int signal_number) {
    check_stack();
    mark(IN_HANDLER);
    if (++depth < DEEP) raise(signal_number);
    check_stack();
}

static void on_jump(int signal_number) {
    check_stack();
    siglongjmp(out_of_handler, signal_number);
}

static void handle(int signal_number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER};
    if (sigaction(signal_number, &action, NULL) != 0) die("sigaction");
}

static void jump_out_once(void) {
    if (sigsetjmp(out_of_handler, 1) == 0) raise(SIGUSR2);
    mark(AFTER_JUMP);
}

int main(void) {
    begin();
    const stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    if (sigaltstack(&stack, NULL) != 0) die("sigaltstack");
    handle(SIGUSR1, on_nesting);
    handle(SIGUSR2, on_jump);
    for (int round = 0; round < ROUNDS; ++round) {
        depth = 0;
        raise(SIGUSR1);
        jump_out_once();
    }
    printf("handlers that were not on the alternate stack: %d\n", (int)left_the_stack);
    expect_call(IN_HANDLER, DEEP * ROUNDS);
    expect_call(AFTER_JUMP, ROUNDS);
    expect_call(SYS_rt_sigreturn, DEEP * ROUNDS);
    expect_processes(1);
    return 0;
}
