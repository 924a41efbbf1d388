// A daemon with three children, each of which does something else: one keeps a file, one answers through a
// socket, one waits for a signal. The first process waits for the daemon's end and prints what came of it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(int holds, const char* what) {
    if (holds) return;
    perror(what);
    _exit(1);
}

static pid_t start(void (*work)(int), int descriptor) {
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        work(descriptor);
        _exit(0);
    }
    return child;
}

static void keep_file(int unused) {
    (void)unused;
    const int file = open("kept.new", O_CREAT | O_RDWR | O_EXCL, 0600);
    need(file >= 0, "open");
    need(write(file, "kept", 4) == 4 && fsync(file) == 0 && lseek(file, 0, SEEK_SET) == 0, "write");
    need(rename("kept.new", "kept") == 0 && unlink("kept") == 0, "rename");
}

static void answer(int connection) {
    char question[16];
    const ssize_t size = recv(connection, question, sizeof question, 0);
    need(size > 0 && send(connection, question, (size_t)size, 0) == size, "answer");
}

static void await_signal(int ready) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    need(sigprocmask(SIG_BLOCK, &wanted, NULL) == 0 && write(ready, "r", 1) == 1, "await_signal");
    need(sigwaitinfo(&wanted, NULL) == SIGUSR1, "sigwaitinfo");
}

static int serve(void) {
    int connection[2];
    int ready[2];
    char letters[16];
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0 && pipe(ready) == 0, "socketpair");
    start(keep_file, -1);
    start(answer, connection[1]);
    const pid_t waiting = start(await_signal, ready[1]);
    need(send(connection[0], "question", 8, 0) == 8 && recv(connection[0], letters, 8, MSG_WAITALL) == 8,
         "ask");
    need(read(ready[0], letters, 1) == 1 && kill(waiting, SIGUSR1) == 0, "kill");
    int served = 0;
    for (int status; wait(&status) > 0;)
        if (status == 0) ++served;
    return served;
}

int main(void) {
    int ends[2];
    const char* directory = getenv("TMPDIR");
    need(pipe(ends) == 0, "pipe");
    const pid_t middle = fork();
    need(middle >= 0, "fork");
    if (middle == 0) {
        need(setsid() >= 0 && chdir(directory ? directory : "/tmp") == 0, "setsid");
        umask(077);
        if (fork() != 0) _exit(0);
        close(ends[0]);
        const int served = serve();
        need(write(ends[1], &served, sizeof served) == sizeof served, "report");
        _exit(0);
    }
    close(ends[1]);
    int served = 0;
    need(waitpid(middle, NULL, 0) == middle && read(ends[0], &served, sizeof served) == sizeof served,
         "daemon");
    printf("%d children have ended well\n", served);
    return served == 3 ? 0 : 1;
}
