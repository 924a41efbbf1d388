// Clocks read through the vDSO are no system calls, and no tracer sees any. Whether the vDSO really answers
// (it does not with every clock source) is tried in a child in which the calls themselves are forbidden.
#include "own_filter.h"

#include <sys/time.h>

enum { ROUNDS = 1000 };

static bool read_clock(int which) {
    struct timespec time_of_clock;
    struct timeval time_of_day;
    switch (which) {
        case 0:
            return clock_gettime(CLOCK_MONOTONIC, &time_of_clock) == 0 &&
                   clock_gettime(CLOCK_REALTIME, &time_of_clock) == 0;
        case 1:
            return gettimeofday(&time_of_day, NULL) == 0;
        case 2:
            return clock_getres(CLOCK_MONOTONIC, &time_of_clock) == 0;
        default:
            return time(NULL) != -1;
    }
}

static const long number_of_clock[] = {
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_clock_getres,
#if defined(SYS_time)
    SYS_time,
#endif
};
enum { CLOCKS = sizeof number_of_clock / sizeof number_of_clock[0] };

int main(void) {
    begin();
    need_filter_action(SECCOMP_RET_ERRNO);
    const pid_t child = fork_child();
    if (child == 0) {
        struct verdict verdicts[CLOCKS];
        for (int i = 0; i < CLOCKS; ++i)
            verdicts[i] = (struct verdict){number_of_clock[i], SECCOMP_RET_ERRNO | EDOM};
        if (install_filter(verdicts, CLOCKS, 0) != 0) die("seccomp");
        int answered = 0;
        for (int i = 0; i < CLOCKS; ++i) answered |= read_clock(i) ? 1 << i : 0;
        _exit(answered);
    }
    const int status = wait_status(child);
    require(WIFEXITED(status) && WEXITSTATUS(status) < 1 << CLOCKS, "the child has tried all clocks");

    mark(SYS_getpgid);
    for (int i = 0; i < CLOCKS; ++i) {
        for (int round = 0; round < ROUNDS; ++round) require(read_clock(i), "clocks can be read");
    }
    mark(SYS_getpgid);
    for (int i = 0; i < CLOCKS; ++i) {
        if ((WEXITSTATUS(status) & 1 << i) != 0) {
            expect_absent(number_of_clock[i]);
        } else {
            expect_atleast(number_of_clock[i], ROUNDS);
        }
    }
    expect_call(SYS_getpgid, 2);
    expect_processes(2);
    return 0;
}
