// ITERATIONS times getppid(2), the cheapest call there is: what a tracer adds to a call shows undiluted.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: getppid ITERATIONS\n");
        return 2;
    }
    for (long left = atol(argv[1]); left > 0; --left) syscall(SYS_getppid);
    return 0;
}
