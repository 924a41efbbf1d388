// Three ABIs in one 64-bit process: the syscall instruction, int 0x80, and numbers with the x32 bit. The code
// segment is the same for all of them, and the same number means different calls.
#include "tracee.h"

#include <setjmp.h>

enum { I386_GETPGID = 132, I386_GETRESUID32 = 209, X32_BIT = 1 << 30 };

static sigjmp_buf refused;

static void on_fault(int signal_number) { siglongjmp(refused, signal_number); }

int main(void) {
    begin();

    // Without 32-bit emulation in the kernel the instruction is a fault.
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(refused, 1) != 0) skip("the kernel takes no 32-bit calls");
    require(int80(I386_GETPGID, 0, 0, 0) == getpgrp(), "a 32-bit call has its 32-bit meaning");
    signal(SIGSEGV, SIG_DFL);

    // Alternating, so that a tracer which keeps a thread's ABI from one call to the next is wrong.
    for (int i = 0; i < 100; ++i) {
        require(syscall(SYS_getpgid, 0) == getpgrp(), "a 64-bit call has its 64-bit meaning");
        require(int80(I386_GETPGID, 0, 0, 0) == getpgrp(), "a 32-bit call has its 32-bit meaning");
        mark(X32_BIT | SYS_getsid);
    }

    uint32_t* const ids = low_memory();
    const uint32_t ids_address = (uint32_t)(uintptr_t)ids;
    require(int80(I386_GETRESUID32, ids_address, ids_address + 4, ids_address + 8) == 0,
            "32-bit pointers work");
    require(ids[0] == getuid() && ids[1] == geteuid(), "results come through 32-bit pointers");

    expect_call(SYS_getpgid, 100);
    expect_call_of("i386", I386_GETPGID, 101);
    expect_call_of("i386", I386_GETRESUID32, 1);
    expect_call_of("x32", X32_BIT | SYS_getsid, 100);
    // The same numbers taken for those of another ABI:
    expect_absent(I386_GETPGID);
    expect_absent(I386_GETRESUID32);
    expect_absent(SYS_getsid);
    expect_absent_of("i386", SYS_getpgid);
    expect_processes(1);
    return 0;
}
