// A filter of the program's own with SECCOMP_RET_TRACE: without a tracer that asked for it the calls are
// ENOSYS, and so they must stay under a tracer which uses such filters itself, whatever the data value.
#include "own_filter.h"

int main(void) {
    begin();
    const struct verdict verdicts[] = {
        {SYS_getpgid, SECCOMP_RET_TRACE},
        {SYS_getsid, SECCOMP_RET_TRACE | 1},
        {SYS_timer_getoverrun, SECCOMP_RET_TRACE | 0x7ff0},
        {SYS_timer_delete, SECCOMP_RET_TRACE | 0xffff},
    };
    enum { VERDICTS = sizeof verdicts / sizeof verdicts[0] };
    install_filter_or_skip(verdicts, VERDICTS, 0);
    for (int i = 0; i < VERDICTS; ++i) {
        for (int round = 0; round <= i; ++round) {
            const long result = mark(verdicts[i].number);
            const int error = errno;
            if (result != -1 || error != ENOSYS) printf("call %d of the filter: not ENOSYS\n", i);
        }
    }
    for (int i = 0; i < 5; ++i)
        require(mark(SYS_timerfd_gettime) == -1 && errno == EBADF, "the kernel answers");
    for (int i = 0; i < VERDICTS; ++i) expect_call(verdicts[i].number, i + 1);
    expect_call(SYS_timerfd_gettime, 5);
    expect_processes(1);
    return 0;
}
