// getppid(2) in each of eight threads, ITERATIONS times in all: one tracer serves more threads than there are
// processors.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { thread_count = 8 };

static void* call_getppid(void* iterations) {
    for (long left = *(const long*)iterations; left > 0; --left) syscall(SYS_getppid);
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
        if (pthread_create(&threads[i], NULL, call_getppid, &share) != 0) {
            fprintf(stderr, "threads: no more threads\n");
            return 1;
        }
    }
    for (int i = 0; i < thread_count; ++i) pthread_join(threads[i], NULL);
    return 0;
}
