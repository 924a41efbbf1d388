// A filter of the program's own that turns a call into a SIGSYS, whose handler supplies the result.
#include "own_filter.h"

#include <ucontext.h>

enum { TRAPPED = SYS_getpgid, IN_HANDLER = SYS_getsid, TRAP_DATA = 1234 };

static volatile sig_atomic_t honest;

static void on_sys(int signal_number, siginfo_t* info, void* context) {
    mark(IN_HANDLER);
    honest += signal_number == SIGSYS && info->si_code == 1 /* SYS_SECCOMP */ &&
              info->si_syscall == TRAPPED && info->si_arch == NATIVE_AUDIT_ARCH &&
              info->si_errno == TRAP_DATA;
    mcontext_t* const machine = &((ucontext_t*)context)->uc_mcontext;
#if defined(__x86_64__)
    machine->gregs[REG_RAX] = 4321;
#elif defined(__i386__)
    machine->gregs[REG_EAX] = 4321;
#elif defined(__aarch64__)
    machine->regs[0] = 4321;
#else
    machine->__gregs[REG_A0] = 4321;
#endif
}

int main(void) {
    begin();
    struct sigaction action = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, NULL) != 0) die("sigaction");
    const struct verdict verdict = {TRAPPED, SECCOMP_RET_TRAP | TRAP_DATA};
    install_filter_or_skip(&verdict, 1, 0);
    for (int i = 0; i < 10; ++i) require(mark(TRAPPED) == 4321, "the handler's result is the call's");
    printf("right siginfo: %d\n", (int)honest);

    const pid_t child = fork_child();
    if (child == 0) {
        signal(SIGSYS, SIG_DFL);
        mark(TRAPPED);
        _exit(TRACEE_BROKEN);
    }
    print_status("without a handler", wait_status(child));
    expect_call(TRAPPED, 11);
    expect_call(IN_HANDLER, 10);
    expect_call(SYS_rt_sigreturn, 10);
    expect_processes(2);
    return 0;
}
