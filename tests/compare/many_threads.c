// A process with many threads that are all alive at once:
//
//     many_threads COUNT
//
// Each makes calls of many kinds before and after all of them live. Exits with 77 where the machine does not
// allow so many.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TOO_MANY = 77, STACK_SIZE = 64 * 1024, KINDS = 16, FIRST_KIND = 1000 };

static pthread_barrier_t all_alive;

// Numbers that no kernel has: harmless, and each a call of its own to whoever records them.
static void make_calls(void) {
    for (int i = 0; i < KINDS; ++i) syscall(FIRST_KIND + i, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void* in_thread(void* unused) {
    make_calls();
    pthread_barrier_wait(&all_alive);
    make_calls();
    return unused;
}

int main(int argc, char** argv) {
    const long count = argc > 1 ? atol(argv[1]) : 0;
    pthread_t* const threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t attributes;
    if (count <= 0 || threads == NULL || pthread_barrier_init(&all_alive, NULL, (unsigned)count + 1) != 0 ||
        pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0) {
        fprintf(stderr, "usage: many_threads COUNT\n");
        return 2;
    }
    for (long i = 0; i < count; ++i) {
        const int error = pthread_create(&threads[i], &attributes, in_thread, NULL);
        // The others wait for ever: the end of the process ends them.
        if (error != 0) return error == EAGAIN ? TOO_MANY : 2;
    }
    pthread_barrier_wait(&all_alive);
    for (long i = 0; i < count; ++i) pthread_join(threads[i], NULL);
    free(threads);
    return 0;
}
