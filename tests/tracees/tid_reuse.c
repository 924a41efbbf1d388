// 5000 quick threads, one after another: state that a tracer keeps of a thread must go when the thread goes.
#include "tracee.h"

enum { THREADS = 5000 };

static void* in_thread(void* unused) {
    mark(SYS_getpgid);
    return unused;
}

int main(void) {
    begin();
    for (int i = 0; i < THREADS; ++i) join_thread(start_thread(in_thread, NULL));
    expect_call(SYS_getpgid, THREADS);
    expect_call(SYS_exit, THREADS);
    expect_processes(1);
    return 0;
}
