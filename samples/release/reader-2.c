// Release 2: does the same, reports over a socket, and would use io_uring if it were allowed to.
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const int file = open(argc > 1 ? argv[1] : "/etc/passwd", O_RDONLY);
    if (file < 0) {
        perror("open");
        return 1;
    }
    const int reports = socket(AF_UNIX, SOCK_DGRAM, 0);
    // Without parameters this fails at once. A release would go on by read(2) after any failure, as many
    // systems forbid io_uring; to ask for it is what shows.
    const long ring = syscall(SYS_io_uring_setup, 8, NULL);
    if (ring >= 0) close((int)ring);

    char buffer[4096];
    long total = 0;
    for (ssize_t got; (got = read(file, buffer, sizeof buffer)) > 0;) total += got;
    close(file);
    if (reports >= 0) close(reports);
    printf("%ld bytes\n", total);
    return 0;
}
