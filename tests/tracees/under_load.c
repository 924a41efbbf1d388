// A server under load in small, while standard input is open: threads that answer each other over sockets, a
// hot one, one that creates threads all the time, one that creates processes, one that sends signals, a
// timer. Each line of input is answered once every one of them has got on since. At the end no call has
// failed, or been interrupted but by the timer's handler, which does not run on those that count. With an
// argument the leader's thread ends first.
#include "tracee.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { PAIRS = 3, WORKERS = 2 * PAIRS + 5, PATIENCE_MS = 10000 };

static atomic_long progress[WORKERS];
static atomic_long interruptions, failures, lost_signals, ticks;
static atomic_bool over, nobody_sends;
static int sockets[PAIRS][2];
static int signal_handled;

static void on_alarm(int signal_number) { ticks += signal_number == SIGVTALRM; }

static void on_message(int signal_number) {
    const int error = errno;
    const uint64_t one = signal_number == SIGUSR1;
    if (write(signal_handled, &one, sizeof one) != sizeof one) ++failures;
    errno = error;
}

static void check(bool good, const char* what) {
    if (good) return;
    if (++failures == 1) fprintf(stderr, "first failure: %s: %s\n", what, strerror(errno));
}

/// Sends back what it gets, 4 bytes a time that count.
static void* answer(void* argument) {
    const long worker = (long)argument;
    const int own = sockets[worker / 2][worker % 2];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    check(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event) == 0, "epoll_ctl");
    uint32_t expected = worker % 2 == 0 ? 1 : 0;
    if (worker % 2 == 0) check(write(own, &(uint32_t){0}, 4) == 4, "the first write");
    for (;;) {
        const int ready = epoll_wait(epoll, &event, 1, -1);
        if (ready == -1 && errno == EINTR) {
            ++interruptions;
            continue;
        }
        check(ready == 1, "epoll_wait");
        uint32_t got;
        const ssize_t length = read(own, &got, sizeof got);
        if (length == 0) break;
        check(length == 4 && got == expected, "read");
        expected += 2;
        ++got;
        ++progress[worker];
        if (over) break;
        check(write(own, &got, sizeof got) == 4, "write");
    }
    shutdown(own, SHUT_RDWR);
    close(epoll);
    return NULL;
}

static void* call_all_the_time(void* argument) {
    const pid_t parent = getppid();
    while (!nobody_sends) {
        check(syscall(SYS_getppid) == parent, "getppid");
        ++progress[(long)argument];
    }
    return NULL;
}

static void* sleep_a_little(void* argument) {
    const struct timespec little = {.tv_nsec = 200000};
    while (!over) {
        check(syscall(SYS_nanosleep, &little, NULL) == 0, "nanosleep");
        ++progress[(long)argument];
    }
    return NULL;
}

/// One signal after another to the process, each once the one before has been handled.
static void* send_signals(void* argument) {
    while (!over) {
        struct pollfd handled = {.fd = signal_handled, .events = POLLIN};
        uint64_t count = 0;
        check(kill(getpid(), SIGUSR1) == 0, "kill");
        if (poll(&handled, 1, PATIENCE_MS) != 1)
            ++lost_signals;
        else
            check(read(signal_handled, &count, sizeof count) == sizeof count && count == 1, "one signal");
        ++progress[(long)argument];
    }
    return NULL;
}

static void* call_once(void* unused) {
    check(syscall(SYS_gettid) > 0, "gettid");
    return unused;
}

static void* create_threads(void* argument) {
    while (!over) {
        pthread_t threads[4];
        for (int i = 0; i < 4; ++i) threads[i] = start_thread(call_once, NULL);
        for (int i = 0; i < 4; ++i) join_thread(threads[i]);
        ++progress[(long)argument];
    }
    return NULL;
}

static void* create_processes(void* argument) {
    while (!over) {
        const pid_t child = clone_like_fork(SIGCHLD);
        if (child == 0) {
            const long result = syscall(SYS_getpgid, 0);
            syscall(SYS_exit_group, result >= 0 ? 0 : 1);
        }
        int status = -1;
        check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
        ++progress[(long)argument];
    }
    return NULL;
}

static void wait_for_progress(void) {
    long before[WORKERS];
    for (int i = 0; i < WORKERS; ++i) before[i] = progress[i];
    for (int i = 0; i < WORKERS; ++i) {
        while (progress[i] == before[i]) usleep(200);
    }
}

static void* serve(void* leader) {
    if (leader != NULL) {
        pthread_join(*(pthread_t*)leader, NULL);
    }
    // A child's end while a tracer has some of the threads and not the others can wake those others.
    sigset_t handled_by_one, children_only;
    sigemptyset(&children_only);
    sigaddset(&children_only, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &children_only, NULL);
    sigemptyset(&handled_by_one);
    sigaddset(&handled_by_one, SIGVTALRM);
    sigaddset(&handled_by_one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &handled_by_one, NULL);

    pthread_t threads[WORKERS];
    long next = 0;
    for (; next < 2 * PAIRS; ++next) {
        if (next % 2 == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets[next / 2]) != 0) die("socketpair");
        threads[next] = start_thread(answer, (void*)next);
    }
    void* (*const others[])(void*) = {sleep_a_little, create_threads, create_processes, send_signals,
                                      call_all_the_time};
    for (int i = 0; i < 5; ++i, ++next) {
        // The last one takes the signals.
        if (i == 4) pthread_sigmask(SIG_UNBLOCK, &handled_by_one, NULL);
        threads[next] = start_thread(others[i], (void*)next);
    }
    pthread_sigmask(SIG_BLOCK, &handled_by_one, NULL);
    struct itimerspec interval = {.it_interval = {.tv_nsec = 1000000}, .it_value = {.tv_nsec = 1000000}};
    struct sigevent signal_it = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &signal_it, &timer) != 0) die("timer_create");
    timer_settime(timer, 0, &interval, NULL);

    wait_for_progress();
    printf("ready\n");
    for (int byte; (byte = getchar()) != EOF;) {
        if (byte != '\n') continue;
        wait_for_progress();
        const long before = ticks;
        while (ticks == before) usleep(200);
        printf("goes on\n");
    }
    over = true;
    for (int i = 0; i < WORKERS - 1; ++i) join_thread(threads[i]);
    nobody_sends = true;
    join_thread(threads[WORKERS - 1]);
    printf("failures %ld\ninterruptions %ld\nlost signals %ld\n", failures, interruptions, lost_signals);
    exit(failures == 0 ? 0 : 1);
}

int main(int argc, char** argv) {
    (void)argv;
    begin();
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGVTALRM, &action, NULL);
    action.sa_handler = on_message;
    sigaction(SIGUSR1, &action, NULL);
    signal_handled = eventfd(0, EFD_CLOEXEC);
    if (signal_handled < 0) die("eventfd");
    if (argc == 1) serve(NULL);
    static pthread_t leader;
    leader = pthread_self();
    start_thread(serve, &leader);
    pthread_exit(NULL);
}
