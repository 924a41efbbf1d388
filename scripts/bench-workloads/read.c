// ITERATIONS times read(2) of one byte from /dev/zero: a call with arguments and a little work in the kernel.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: read ITERATIONS\n");
        return 2;
    }
    const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    char byte;
    for (long left = atol(argv[1]); left > 0; --left) {
        if (read(zero, &byte, 1) != 1) {
            perror("read: /dev/zero");
            return 1;
        }
    }
    return 0;
}
