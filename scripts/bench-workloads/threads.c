// getppid(2) and futex(2) by turns in each of eight threads, ITERATIONS pairs in all: one tracer serves more
// threads than there are processors. The futex wakes nobody: what threads that wait for one another call
// depends on timing.
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { thread_count = 8 };

static unsigned word;

static void* call(void* iterations) {
    for (long left = *(const long*)iterations; left > 0; --left) {
        syscall(SYS_getppid);
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    return NULL;
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: threads ITERATIONS\n");
        return 2;
    }
    long share = atol(argv[1]) / thread_count;
    pthread_t threads[thread_count];
    for (int i = 0; i < thread_count; ++i) {
        if (pthread_create(&threads[i], NULL, call, &share) != 0) {
            fprintf(stderr, "threads: no more threads\n");
            return 1;
        }
    }
    for (int i = 0; i < thread_count; ++i) pthread_join(threads[i], NULL);
    return 0;
}
