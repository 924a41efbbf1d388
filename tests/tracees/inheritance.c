// Prints all that a program gets from whoever starts it, and that a tracer in between must pass on unchanged.
// The test compares the output of a native run with that of a traced one; both must be started in the same
// way, the native one not in a process group of its own.
#include "tracee.h"

#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/time.h>

extern char** environ;

static void print_arguments(int argc, char** argv) {
    for (int i = 0; i < argc; ++i) printf("argument %d: %s\n", i, argv[i]);
    for (char** variable = environ; *variable != NULL; ++variable) printf("environment: %s\n", *variable);
}

static void print_signals(void) {
    sigset_t blocked;
    sigset_t pending;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigpending(&pending);
    for (int number = 1; number <= SIGRTMAX; ++number) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) continue;
        printf("signal %d:%s%s%s%s\n", number, sigismember(&blocked, number) == 1 ? " blocked" : "",
               sigismember(&pending, number) == 1 ? " pending" : "",
               action.sa_handler == SIG_IGN ? " ignored" : "",
               action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL ? " handled" : "");
    }
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0) printf("alternate stack: flags %d\n", stack.ss_flags);
}

static void print_limits(void) {
    for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
        struct rlimit limit;
        if (getrlimit(resource, &limit) != 0) continue;
        printf("limit %d: %llu of %llu\n", resource, (unsigned long long)limit.rlim_cur,
               (unsigned long long)limit.rlim_max);
    }
}

static const char* kind_of_file(mode_t mode) {
    if (S_ISREG(mode)) return "file";
    if (S_ISDIR(mode)) return "folder";
    if (S_ISCHR(mode)) return "character device";
    if (S_ISBLK(mode)) return "block device";
    if (S_ISFIFO(mode)) return "pipe";
    if (S_ISSOCK(mode)) return "socket";
    return "other";
}

static void print_descriptors(void) {
    for (int fd = 0; fd < 1024; ++fd) {
        const int descriptor_flags = fcntl(fd, F_GETFD);
        if (descriptor_flags < 0) continue;
        struct stat status;
        printf("descriptor %d: %s, flags %d, status flags %#o\n", fd,
               fstat(fd, &status) == 0 ? kind_of_file(status.st_mode) : "unknown", descriptor_flags,
               (unsigned)fcntl(fd, F_GETFL));
    }
}

static void print_scheduling(void) {
    printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
    printf("I/O priority: %ld\n", syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0));
    struct sched_param parameter = {0};
    sched_getparam(0, &parameter);
    printf("scheduling policy: %d, priority %d\n", sched_getscheduler(0), parameter.sched_priority);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) die("sched_getaffinity");
    printf("affinity:");
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &cpus)) printf(" %d", cpu);
    }
    printf("\ntimer slack: %d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
}

static void print_timers(void) {
    static const char* const names[] = {"real", "virtual", "profiling"};
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; ++which) {
        struct itimerval timer;
        if (getitimer((__itimer_which_t)which, &timer) != 0) die("getitimer");
        printf("%s timer: %s, %s\n", names[which], timerisset(&timer.it_value) ? "set" : "not set",
               timerisset(&timer.it_interval) ? "again and again" : "once");
    }
}

static void print_process(void) {
    // The group's number and leader depend on whether a tracer is in between; that it is the parent's does
    // not.
    printf("process group: %s\n", getpgrp() == getpgid(getppid()) ? "the parent's" : "not the parent's");
    printf("session: %s\n", getsid(0) == getsid(getppid()) ? "the parent's" : "not the parent's");
    const int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    printf("controlling terminal: %s\n", terminal >= 0 ? "yes" : "no");
    if (terminal >= 0) close(terminal);
    printf("children: %s\n", waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD ? "none" : "some");

    char folder[PATH_MAX];
    printf("working folder: %s\n", getcwd(folder, sizeof folder) != NULL ? folder : strerror(errno));
    const mode_t mask = umask(0);
    umask(mask);
    printf("umask: %03o\n", (unsigned)mask);
    printf("personality: %#x\n", (unsigned)personality(0xffffffff));

    int parent_death_signal = -1;
    prctl(PR_GET_PDEATHSIG, &parent_death_signal, 0, 0, 0);
    printf("signal at the parent's death: %d\n", parent_death_signal);
    int is_subreaper = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
    printf("subreaper: %d\n", is_subreaper);
    printf("keep capabilities: %d, secure bits: %#x, dumpable: %d\n", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0),
           (unsigned)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

static void print_status_lines(void) {
    static const char* const wanted[] = {"Uid:",
                                         "Gid:",
                                         "Groups:",
                                         "SigPnd:",
                                         "ShdPnd:",
                                         "SigBlk:",
                                         "SigIgn:",
                                         "SigCgt:",
                                         "CapInh:",
                                         "CapPrm:",
                                         "CapEff:",
                                         "CapBnd:",
                                         "CapAmb:",
                                         "NoNewPrivs:",
                                         "Seccomp:",
                                         "Threads:",
                                         "Seccomp_filters:",
                                         "THP_enabled:",
                                         "Mems_allowed_list:"};
    FILE* const file = fopen("/proc/self/status", "re");
    if (file == NULL) die("/proc/self/status");
    char line[4096];
    while (fgets(line, sizeof line, file) != NULL) {
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; ++i) {
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) printf("status %s", line);
        }
    }
    fclose(file);
}

static void print_file(const char* path) {
    FILE* const file = fopen(path, "re");
    if (file == NULL) return;
    char line[4096];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        printf("%s: %s\n", path, line);
    }
    fclose(file);
}

static void print_namespaces(void) {
    static const char* const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        char path[64];
        char target[128] = "";
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (readlink(path, target, sizeof target - 1) > 0) printf("namespace: %s\n", target);
    }
}

int main(int argc, char** argv) {
    print_arguments(argc, argv);
    print_signals();
    print_limits();
    print_descriptors();
    print_scheduling();
    print_timers();
    print_process();
    print_status_lines();
    print_file("/proc/self/oom_score_adj");
    print_file("/proc/self/coredump_filter");
    print_file("/proc/self/cgroup");
    print_namespaces();
    // Only now, as it would change some of the above.
    begin();
    mark_times(SYS_timer_getoverrun, 5);
    expect_call(SYS_timer_getoverrun, 5);
    expect_processes(1);
    return 0;
}
