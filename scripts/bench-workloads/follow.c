// Not a workload but the least that a tracer can do: follows COMMAND and all that it starts and looks at
// nothing.
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
              PTRACE_O_TRACEEXEC
};

int main(int argc, char** argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: follow COMMAND [ARG...]\n");
        return 2;
    }
    const pid_t command = fork();
    if (command == 0) {
        raise(SIGSTOP);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int status;
    if (command < 0 || waitpid(command, &status, WUNTRACED) < 0 ||
        ptrace(PTRACE_SEIZE, command, 0, options) != 0) {
        perror("follow");
        return 125;
    }
    kill(command, SIGCONT);
    int result = 125;
    for (pid_t task; (task = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (task == command) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        const int event = status >> 16;
        const long number = WSTOPSIG(status);
        if (event == PTRACE_EVENT_STOP && number != SIGTRAP) {
            ptrace(PTRACE_LISTEN, task, 0, 0);
        } else {
            ptrace(PTRACE_CONT, task, 0, event != 0 ? 0 : number);
        }
    }
    return result;
}
