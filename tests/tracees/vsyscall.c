// The vsyscall page: calls through a fixed address that the kernel emulates. A tracer may see them (with a
// filter of its own) or not (without), so nothing is expected of the recording; but they must work.
#include "tracee.h"

#include <setjmp.h>

static const uintptr_t vsyscall_time_address = 0xffffffffff600400UL;

static sigjmp_buf refused;

static void on_fault(int signal_number) { siglongjmp(refused, signal_number); }

int main(void) {
    begin();
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(refused, 1) != 0) skip("there is no vsyscall page");
    time_t (*const vsyscall_time)(time_t*) = (time_t(*)(time_t*))vsyscall_time_address;
    for (int i = 0; i < 100; ++i) {
        const time_t before = time(NULL);
        const time_t told = vsyscall_time(NULL);
        const time_t after = time(NULL);
        require(before <= told && told <= after, "the vsyscall page tells the time");
    }
    signal(SIGSEGV, SIG_DFL);
    mark_times(SYS_getpgid, 3);
    expect_call(SYS_getpgid, 3);
    expect_processes(1);
    return 0;
}
