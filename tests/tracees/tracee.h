/// What the tracees share. A tracee is a small program that does one awkward thing, runs the same natively
/// and traced, and prints what it did, for a test to compare with the recording:
///
///     int main(void) {
///         begin();
///         mark_times(SYS_getpgid, 3);
///         expect_call(SYS_getpgid, 3);   // prints "call x86_64 121 3"
///         return 0;
///     }
///
/// Limits: x86_64, i386, aarch64 and riscv64. Include it first: it asks for the GNU extensions.
#ifndef CALLCENSUS_TESTS_TRACEES_TRACEE_H_
#define CALLCENSUS_TESTS_TRACEES_TRACEE_H_

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ABI "x86_64"
#elif defined(__i386__)
#define NATIVE_ABI "i386"
#elif defined(__aarch64__)
#define NATIVE_ABI "aarch64"
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ABI "riscv64"
#else
#error "name this ABI as the recording does"
#endif

/// Number of seconds after which a tracee is killed by its own alarm, children included.
enum { TRACEE_LIFETIME_S = 18 };

/// The exit status of a tracee that could not do its awkward thing; never a right result.
enum { TRACEE_BROKEN = 99 };

/// Says on stderr what failed and why (errno), and ends the process.
static inline _Noreturn void die(const char* what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    _exit(TRACEE_BROKEN);
}

/// Ends the process if something that must hold does not.
static inline void require(bool holds, const char* what) {
    if (holds) return;
    fprintf(stderr, "%s: not so: %s\n", program_invocation_short_name, what);
    _exit(TRACEE_BROKEN);
}

/// For what this machine cannot do. To be called before anything else is printed.
static inline _Noreturn void skip(const char* reason) {
    printf("SKIPPED: %s\n", reason);
    fflush(stdout);
    _exit(0);
}

// --- The alarm
// -----------------------------------------------------------------------------------------------

static inline long seconds_now(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) die("clock_gettime");
    return (long)now.tv_sec;
}

/// Sets the alarm to the end of the whole tracee's lifetime, which the environment carries across forks and
/// execs: an alarm itself is not inherited by children.
static inline void arm_alarm(void) {
    const char* const deadline = getenv("TRACEE_DEADLINE");
    const long left = deadline == NULL ? TRACEE_LIFETIME_S : atol(deadline) - seconds_now();
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    alarm(left > 1 ? (unsigned)left : 1);
}

/// The first thing in main().
static inline void begin(void) {
    // By the line, so that a fork does not duplicate what is still in the buffer.
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (getenv("TRACEE_DEADLINE") == NULL) {
        char deadline[32];
        snprintf(deadline, sizeof deadline, "%ld", seconds_now() + TRACEE_LIFETIME_S);
        if (setenv("TRACEE_DEADLINE", deadline, 1) != 0) die("setenv");
    }
    arm_alarm();
}

// --- Marker calls
// --------------------------------------------------------------------------------------------

/// Makes the call with every argument -1, past libc. Used with calls that then do nothing, successfully or
/// not, and that no libc makes by itself: getpgid, getsid, sched_get_priority_max, sched_get_priority_min,
/// sched_getscheduler, sched_rr_get_interval, timer_getoverrun, timer_delete, timerfd_gettime, setfsuid,
/// setfsgid, getpriority, ioprio_get, inotify_rm_watch, fdatasync, flock, tee, vmsplice, syncfs, readahead,
/// io_destroy, epoll_ctl, kcmp, mq_getsetattr.
static inline long mark(long number) { return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L); }

static inline void mark_times(long number, int times) {
    for (int i = 0; i < times; ++i) mark(number);
}

#if defined(__x86_64__)
/// A 32-bit call from a 64-bit process. The arguments are 32 bits wide: pointers must come from low_memory().
static inline int int80(uint32_t number, uint32_t first, uint32_t second, uint32_t third) {
    long result;
    // Kernels before 4.17 clobber r8 to r11.
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

/// A page below 4 GB, to be pointed to by the arguments of int80().
static inline void* low_memory(void) {
    void* const page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (page == MAP_FAILED) die("mmap below 4 GB");
    return page;
}
#elif defined(__i386__)
/// As libc does not make calls: libc goes through the vDSO, which prefers sysenter or syscall.
static inline int int80(uint32_t number, uint32_t first, uint32_t second, uint32_t third) {
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory");
    return result;
}
#endif

// --- What the test is to compare
// -----------------------------------------------------------------------------

static inline void expect_call_of(const char* abi, uint32_t number, long count) {
    printf("call %s %u %ld\n", abi, number, count);
}

static inline void expect_absent_of(const char* abi, uint32_t number) {
    printf("absent %s %u\n", abi, number);
}

static inline void expect_call(long number, long count) {
    expect_call_of(NATIVE_ABI, (uint32_t)number, count);
}

static inline void expect_atleast(long number, long count) {
    printf("atleast %s %u %ld\n", NATIVE_ABI, (uint32_t)number, count);
}

static inline void expect_absent(long number) { expect_absent_of(NATIVE_ABI, (uint32_t)number); }

static inline void expect_processes(int count) { printf("processes %d\n", count); }

// --- Processes
// -----------------------------------------------------------------------------------------------

/// fork(), with an alarm of its own for the child.
static inline pid_t fork_child(void) {
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) arm_alarm();
    return pid;
}

/// clone() without a stack, which is a fork with flags; no alarm is set. Negative, with errno, where refused.
static inline pid_t clone_like_fork(unsigned long flags) {
    return (pid_t)syscall(SYS_clone, flags, 0L, 0L, 0L, 0L);
}

/// The wait status of a child, whatever its exit signal is.
static inline int wait_status(pid_t pid) {
    int status;
    while (waitpid(pid, &status, __WALL) != pid) {
        if (errno != EINTR) die("waitpid");
    }
    return status;
}

/// Prints how a child ended: "LABEL: exit 0" or "LABEL: signal 9".
static inline void print_status(const char* label, int status) {
    if (WIFEXITED(status)) {
        printf("%s: exit %d\n", label, WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        printf("%s: signal %d\n", label, WTERMSIG(status));
    } else {
        printf("%s: not ended\n", label);
    }
}

/// Waits for a child that must exit with 0.
static inline void wait_success(pid_t pid) {
    const int status = wait_status(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    print_status("child", status);
    _exit(TRACEE_BROKEN);
}

/// The state letter of a thread as in /proc/PID/stat, '?' when it is gone.
static inline char task_state(pid_t pid, pid_t tid) {
    char path[64];
    char stat[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return '?';
    const ssize_t length = read(fd, stat, sizeof stat - 1);
    close(fd);
    if (length <= 0) return '?';
    stat[length] = '\0';
    const char* const after_name = strrchr(stat, ')');
    return after_name == NULL || after_name[1] == '\0' ? '?' : after_name[2];
}

/// Waits until a thread sleeps in a call. (A ptrace stop is the state 't', not 'S'.)
static inline void wait_until_asleep(pid_t pid, pid_t tid) {
    for (;;) {
        const char state = task_state(pid, tid);
        if (state == 'S') return;
        require(state != '?' && state != 'Z', "the thread lives until it sleeps");
        sched_yield();
    }
}

/// Whether a process is in a stop by a signal.
static inline bool is_stopped(pid_t pid) {
    const char state = task_state(pid, pid);
    return state == 'T' || state == 't';  // In a group stop under a tracer it is the latter.
}

static inline pid_t current_tid(void) { return (pid_t)syscall(SYS_gettid); }

/// Zeroed memory that children share.
static inline void* shared_memory(size_t size) {
    void* const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap of shared memory");
    return memory;
}

// --- Threads
// -------------------------------------------------------------------------------------------------

/// A thread with a small stack, so that hundreds of them fit anywhere.
static inline pthread_t start_thread(void* (*body)(void*), void* argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    const int error = pthread_create(&thread, &attributes, body, argument);
    if (error != 0) {
        errno = error;
        die("pthread_create");
    }
    pthread_attr_destroy(&attributes);
    return thread;
}

static inline void join_thread(pthread_t thread) {
    const int error = pthread_join(thread, NULL);
    if (error != 0) {
        errno = error;
        die("pthread_join");
    }
}

// --- Files
// ---------------------------------------------------------------------------------------------------

/// The path of the running program.
static inline const char* own_path(void) {
    static char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) die("readlink /proc/self/exe");
    path[length] = '\0';
    return path;
}

/// The path of another tracee, which is built beside this one.
static inline const char* sibling_path(const char* name) {
    static char path[PATH_MAX + NAME_MAX + 2];
    const char* const own = own_path();
    const int folder_length = (int)(strrchr(own, '/') - own);
    snprintf(path, sizeof path, "%.*s/%s", folder_length, own, name);
    return path;
}

/// Makes a folder for temporary files and returns its path.
static inline const char* make_temporary_folder(void) {
    static char path[PATH_MAX];
    const char* const parent = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/tracee.XXXXXX", parent == NULL || *parent == '\0' ? "/tmp" : parent);
    if (mkdtemp(path) == NULL) die("mkdtemp");
    return path;
}

/// Runs this program again, in place, with these arguments (up to two).
static inline _Noreturn void exec_self(const char* first, const char* second) {
    const char* const path = own_path();
    char* const arguments[] = {(char*)path, (char*)first, (char*)second, NULL};
    execv(path, arguments);
    die("exec of oneself");
}

#endif  // CALLCENSUS_TESTS_TRACEES_TRACEE_H_
