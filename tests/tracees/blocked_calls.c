// One thread blocked in each of the calls that wait, all with the longest of timeouts, while standard input
// is open. A handler then interrupts each, which must be the first interruption that it hears of: a tracer
// that comes or goes meanwhile is none.
#include "tracee.h"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

enum { AGES_S = 5000, MAX_CALLS = 64 };

struct waiting {
    const char* name;
    const char* abi;
    uint32_t number;
    long (*call)(void);
    pthread_t thread;
    atomic_int tid;
    int interruptions;  ///< before the handler's
    int error;          ///< of a call that did not wait at all
    atomic_bool over;
};

static struct waiting calls[MAX_CALLS];
static int call_count;

static _Thread_local volatile sig_atomic_t handled;

static void on_usr1(int signal_number) { handled += signal_number == SIGUSR1; }

static void add(const char* name, const char* abi, uint32_t number, long (*call)(void)) {
    require(call_count < MAX_CALLS, "MAX_CALLS is large enough");
    calls[call_count++] = (struct waiting){.name = name, .abi = abi, .number = number, .call = call};
}

// --- What is waited for in vain
// --------------------------------------------------------------------------------

struct kernel_timespec {
    int64_t seconds, nanoseconds;
};

static const struct timespec ages = {.tv_sec = AGES_S};
static const struct kernel_timespec ages_64 = {AGES_S, 0};
static int empty_pipe[2], full_socket, silent_socket, listening_socket, busy_address_socket, epoll,
    semaphores, messages, other_lock;
static struct sockaddr_un busy_address;
static pid_t child;

/// A pair of connected sockets that give up after ages: the kernel restarts no call on those.
static int socket_with_timeouts(int type, int* peer) {
    int pair[2];
    const struct timeval timeout = {.tv_sec = AGES_S};
    if (socketpair(AF_UNIX, type, 0, pair) != 0) die("socketpair");
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (peer != NULL) *peer = pair[1];
    return pair[0];
}

static void prepare(void) {
    const struct timeval timeout = {.tv_sec = AGES_S};
    char byte = 0;
    if (pipe2(empty_pipe, O_CLOEXEC) != 0) die("pipe");
    silent_socket = socket_with_timeouts(SOCK_STREAM, NULL);
    full_socket = socket_with_timeouts(SOCK_STREAM, NULL);
    while (send(full_socket, &byte, 1, MSG_DONTWAIT) == 1) {
    }

    listening_socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listening_socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (listen(listening_socket, 1) != 0) die("listen");

    // A queue of connections that is full, since nobody accepts them.
    const int busy = socket(AF_UNIX, SOCK_STREAM, 0);
    busy_address.sun_family = AF_UNIX;
    snprintf(busy_address.sun_path + 1, sizeof busy_address.sun_path - 1, "tracee-%d", getpid());
    if (bind(busy, (const struct sockaddr*)&busy_address, sizeof busy_address) != 0) die("bind");
    if (listen(busy, 0) != 0) die("listen");
    for (;;) {
        const int next = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(next, (const struct sockaddr*)&busy_address, sizeof busy_address) != 0) break;
    }
    busy_address_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    setsockopt(busy_address_socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);

    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, empty_pipe[0], &event) != 0) die("epoll_ctl");
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    messages = msgget(IPC_PRIVATE, 0600);

    const int lock = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    other_lock = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (flock(lock, LOCK_EX) != 0 || other_lock < 0) die("flock");

    child = fork_child();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
}

static void clean_up(void) {
    semctl(semaphores, 0, IPC_RMID);
    msgctl(messages, IPC_RMID, NULL);
    kill(child, SIGKILL);
    wait_status(child);
}

// --- The calls
// -------------------------------------------------------------------------------------------------

static char buffer[64];
static struct epoll_event events[1];
static struct sembuf down = {.sem_op = -1};
static struct iovec vector = {buffer, sizeof buffer};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static uint32_t word;

static long read_pipe(void) { return syscall(SYS_read, empty_pipe[0], buffer, sizeof buffer); }
static long read_socket(void) { return syscall(SYS_read, silent_socket, buffer, sizeof buffer); }
static long readv_socket(void) { return syscall(SYS_readv, silent_socket, &vector, 1); }
static long write_socket(void) { return syscall(SYS_write, full_socket, buffer, sizeof buffer); }
static long writev_socket(void) { return syscall(SYS_writev, full_socket, &vector, 1); }
static long recvfrom_socket(void) {
    return syscall(SYS_recvfrom, silent_socket, buffer, sizeof buffer, 0, NULL, NULL);
}
static long recvmsg_socket(void) { return syscall(SYS_recvmsg, silent_socket, &message, 0); }
static long sendto_socket(void) {
    return syscall(SYS_sendto, full_socket, buffer, sizeof buffer, 0, NULL, 0);
}
static long sendmsg_socket(void) { return syscall(SYS_sendmsg, full_socket, &message, 0); }
static long recvmmsg_socket(void) {
    static struct mmsghdr one;
    one.msg_hdr = message;
    return syscall(SYS_recvmmsg, silent_socket, &one, 1, 0, NULL);
}
static long sendmmsg_socket(void) {
    static struct mmsghdr one;
    one.msg_hdr = message;
    return syscall(SYS_sendmmsg, full_socket, &one, 1, 0);
}
static long accept4_socket(void) { return syscall(SYS_accept4, listening_socket, NULL, NULL, 0); }
static long connect_socket(void) {
    return syscall(SYS_connect, busy_address_socket, &busy_address, sizeof busy_address);
}
static long futex_wait(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); }
static long epoll_pwait_(void) { return syscall(SYS_epoll_pwait, epoll, events, 1, AGES_S * 1000, NULL, 8); }
static long ppoll_(void) {
    struct pollfd nothing = {.fd = -1};
    return syscall(SYS_ppoll, &nothing, 1, NULL, NULL, 8);
}
static long pselect_(void) { return syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, NULL); }
static long flock_(void) { return syscall(SYS_flock, other_lock, LOCK_EX); }
static long waitid_(void) { return syscall(SYS_waitid, P_PID, child, NULL, WEXITED, NULL); }
static long sigsuspend_(void) {
    uint64_t none = 0;
    return syscall(SYS_rt_sigsuspend, &none, sizeof none);
}
#if defined(SYS_msgrcv)
static long msgrcv_(void) { return syscall(SYS_msgrcv, messages, buffer, 8L, 0L, 0); }
#endif
static long nanosleep_(void) { return syscall(SYS_nanosleep, &ages, NULL); }
static long clock_nanosleep_(void) { return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ages, NULL); }
static long sigtimedwait_(void) {
    const uint64_t usr2 = 1ull << (SIGUSR2 - 1);
    return syscall(SYS_rt_sigtimedwait, &usr2, NULL, &ages, sizeof usr2);
}

#if defined(SYS_epoll_wait)
static long epoll_wait_(void) { return syscall(SYS_epoll_wait, epoll, events, 1, -1); }
#endif
#if defined(SYS_poll)
static long poll_(void) {
    struct pollfd nothing = {.fd = -1};
    return syscall(SYS_poll, &nothing, 1, AGES_S * 1000);
}
#endif
#if defined(SYS_pause)
static long pause_(void) { return syscall(SYS_pause); }
#endif
#if defined(SYS_accept)
static long accept_socket(void) { return syscall(SYS_accept, listening_socket, NULL, NULL); }
#endif
#if defined(SYS_semop)
static long semop_(void) { return syscall(SYS_semop, semaphores, &down, 1); }
#endif
#if defined(SYS_semtimedop)
static long semtimedop_(void) { return syscall(SYS_semtimedop, semaphores, &down, 1, &ages); }
#endif
#if defined(SYS_semtimedop_time64)
static long semtimedop_time64_(void) {
    return syscall(SYS_semtimedop_time64, semaphores, &down, 1, &ages_64);
}
#endif
#if defined(SYS_rt_sigtimedwait_time64)
static long sigtimedwait_time64_(void) {
    const uint64_t usr2 = 1ull << (SIGUSR2 - 1);
    return syscall(SYS_rt_sigtimedwait_time64, &usr2, NULL, &ages_64, sizeof usr2);
}
#endif
#if defined(SYS_epoll_pwait2)
static long epoll_pwait2_(void) { return syscall(SYS_epoll_pwait2, epoll, events, 1, &ages_64, NULL, 8); }
#endif
static long io_getevents_(void) {
    aio_context_t context = 0;
    struct io_event event;
    if (syscall(SYS_io_setup, 1, &context) != 0) return -1;
    const long result = syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL);
    const int error = errno;
    syscall(SYS_io_destroy, context);
    errno = error;
    return result;
}
static long io_uring_enter_(void) {
    struct io_uring_params parameters;
    memset(&parameters, 0, sizeof parameters);
    const int ring = (int)syscall(SYS_io_uring_setup, 1, &parameters);
    if (ring < 0) return -1;
    const long result = syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0L);
    const int error = errno;
    close(ring);
    errno = error;
    return result;
}

#if defined(__x86_64__)
// 32-bit calls of a 64-bit process; errno as libc would set it.
static sigjmp_buf refused;

static void on_fault(int signal_number) { siglongjmp(refused, signal_number); }

// Without 32-bit emulation in the kernel the instruction is a fault.
static bool kernel_takes_int80(void) {
    void (*const before)(int) = signal(SIGSEGV, on_fault);
    const bool takes = sigsetjmp(refused, 1) == 0 && int80(20, 0, 0, 0) == getpid();
    signal(SIGSEGV, before);
    return takes;
}

static long from_int80(int result) {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}
static void* low;
static long pause_int80(void) { return from_int80(int80(29, 0, 0, 0)); }
static long epoll_wait_int80(void) {
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(256), "b"(epoll), "c"(low), "d"(1), "S"(-1)
                     : "memory", "r8", "r9", "r10", "r11");
    return from_int80(result);
}
static long nanosleep_int80(void) {
    int32_t* const time = (int32_t*)((char*)low + 256);
    time[0] = AGES_S;
    time[1] = 0;
    return from_int80(int80(162, (uint32_t)(uintptr_t)time, 0, 0));
}
#endif

static void add_all(void) {
#define ADD(number, call) add(#number, NATIVE_ABI, number, call)
    ADD(SYS_read, read_pipe);
    ADD(SYS_read, read_socket);
    ADD(SYS_readv, readv_socket);
    ADD(SYS_write, write_socket);
    ADD(SYS_writev, writev_socket);
    ADD(SYS_recvfrom, recvfrom_socket);
    ADD(SYS_recvmsg, recvmsg_socket);
    ADD(SYS_recvmmsg, recvmmsg_socket);
    ADD(SYS_sendto, sendto_socket);
    ADD(SYS_sendmsg, sendmsg_socket);
    ADD(SYS_sendmmsg, sendmmsg_socket);
    ADD(SYS_accept4, accept4_socket);
    ADD(SYS_connect, connect_socket);
    ADD(SYS_futex, futex_wait);
    ADD(SYS_epoll_pwait, epoll_pwait_);
    ADD(SYS_ppoll, ppoll_);
    ADD(SYS_pselect6, pselect_);
    ADD(SYS_flock, flock_);
    ADD(SYS_waitid, waitid_);
    ADD(SYS_rt_sigsuspend, sigsuspend_);
    ADD(SYS_nanosleep, nanosleep_);
    ADD(SYS_clock_nanosleep, clock_nanosleep_);
    ADD(SYS_rt_sigtimedwait, sigtimedwait_);
    ADD(SYS_io_getevents, io_getevents_);
    ADD(SYS_io_uring_enter, io_uring_enter_);
#if defined(SYS_msgrcv)
    ADD(SYS_msgrcv, msgrcv_);
#endif
#if defined(SYS_epoll_wait)
    ADD(SYS_epoll_wait, epoll_wait_);
#endif
#if defined(SYS_poll)
    ADD(SYS_poll, poll_);
#endif
#if defined(SYS_pause)
    ADD(SYS_pause, pause_);
#endif
#if defined(SYS_accept)
    ADD(SYS_accept, accept_socket);
#endif
#if defined(SYS_semop)
    ADD(SYS_semop, semop_);
#endif
#if defined(SYS_semtimedop)
    ADD(SYS_semtimedop, semtimedop_);
#endif
#if defined(SYS_semtimedop_time64)
    ADD(SYS_semtimedop_time64, semtimedop_time64_);
#endif
#if defined(SYS_rt_sigtimedwait_time64)
    ADD(SYS_rt_sigtimedwait_time64, sigtimedwait_time64_);
#endif
#if defined(SYS_epoll_pwait2)
    ADD(SYS_epoll_pwait2, epoll_pwait2_);
#endif
#if defined(__x86_64__)
    low = low_memory();
    if (kernel_takes_int80()) {
        add("pause by int 0x80", "i386", 29, pause_int80);
        add("nanosleep by int 0x80", "i386", 162, nanosleep_int80);
        add("epoll_wait by int 0x80", "i386", 256, epoll_wait_int80);
    }
#endif
}

// --- The threads
// -----------------------------------------------------------------------------------------------

static void* wait_in_call(void* argument) {
    struct waiting* const own = argument;
    own->tid = current_tid();
    for (;;) {
        const long result = own->call();
        if (handled != 0) break;
        if (result == -1 && errno == EINTR) {
            ++own->interruptions;
            continue;
        }
        own->error = result == -1 ? errno : -1;
        break;
    }
    own->over = true;
    return NULL;
}

int main(void) {
    begin();
    struct sigaction action = {.sa_handler = on_usr1};
    sigaction(SIGUSR1, &action, NULL);
    prepare();
    add_all();
    for (int i = 0; i < call_count; ++i) {
        calls[i].thread = start_thread(wait_in_call, &calls[i]);
        while (calls[i].tid == 0) sched_yield();
        while (!calls[i].over && task_state(getpid(), calls[i].tid) != 'S') sched_yield();
    }
    printf("ready\n");
    while (getchar() != EOF) {
    }
    for (int i = 0; i < call_count; ++i) {
        if (!calls[i].over) wait_until_asleep(getpid(), calls[i].tid);
        // Once is not always enough: a thread may sleep for a moment elsewhere than in its call.
        while (!calls[i].over) {
            pthread_kill(calls[i].thread, SIGUSR1);
            sched_yield();
        }
        join_thread(calls[i].thread);
        if (calls[i].error != 0)
            printf("%s does not wait: %s\n", calls[i].name,
                   calls[i].error < 0 ? "it returned" : strerror(calls[i].error));
        else
            printf("%s interrupted %d times before its time\n", calls[i].name, calls[i].interruptions);
        if (calls[i].error == 0) printf("atleast %s %u 1\n", calls[i].abi, calls[i].number);
    }
    clean_up();
    return 0;
}
