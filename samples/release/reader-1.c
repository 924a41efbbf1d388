// Release 1: reads a file and prints how much that was.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const int file = open(argc > 1 ? argv[1] : "/etc/passwd", O_RDONLY);
    if (file < 0) {
        perror("open");
        return 1;
    }
    char buffer[4096];
    long total = 0;
    for (ssize_t got; (got = read(file, buffer, sizeof buffer)) > 0;) total += got;
    close(file);
    printf("%ld bytes\n", total);
    return 0;
}
