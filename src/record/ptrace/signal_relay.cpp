#include "record/ptrace/signal_relay.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/signals.hpp"

namespace callcensus::ptrace {
namespace {

// Nothing of ours may be lost by what somebody sends us: all that would end us is caught. The two that libc
// keeps for itself cannot be, and are ignored.
const std::vector<int>& relayed() {
    static const std::vector<int> signals = [] {
        std::vector<int> numbers = ending_signals();
        std::erase_if(numbers, [](int number) { return number == SIGPIPE || is_kept_by_libc(number); });
        numbers.insert(numbers.end(), {SIGWINCH, SIGTSTP});
        return numbers;
    }();
    return signals;
}
constexpr std::array ignored{SIGPIPE, SIGTTIN, SIGTTOU};
constexpr long repeat_nanoseconds = 5'000'000;
// One until the next warning, at which everything is killed that has not heeded the first, and one to write.
constexpr rlim_t seconds_of_warning = 2;

// What a handler may touch. There is one relay at a time (a process has one set of handlers).
enum Source : unsigned { by_process = 1, by_kernel = 2 };
std::array<std::atomic<unsigned>, NSIG> arrived;
std::array<std::atomic<pid_t>, NSIG> senders;
std::array<struct sigaction, NSIG> before_us;  // of faults
std::atomic<bool> anything_arrived;
std::atomic<bool> has_timer;
timer_t timer;

int timer_signal() { return SIGRTMAX; }

void start_timer(std::chrono::nanoseconds from_now) {
    // A first expiry of zero would disarm it.
    const auto first = std::max<std::chrono::nanoseconds>(from_now, std::chrono::nanoseconds(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(first);
    itimerspec when{};
    when.it_value = {static_cast<time_t>(seconds.count()), static_cast<long>((first - seconds).count())};
    when.it_interval = {0, repeat_nanoseconds};
    if (has_timer.load()) ::timer_settime(timer, 0, &when, nullptr);
}

void stop_timer() {
    const itimerspec never{};
    if (has_timer.load()) ::timer_settime(timer, 0, &never, nullptr);
}

bool is_our_own_fault(int number, const siginfo_t& details) {
    return is_fault(number) && (details.si_code > 0 || details.si_pid == ::getpid());
}

void take_note(int number, siginfo_t* details, void*) {
    const int errnum = errno;
    const auto index = static_cast<std::size_t>(number);
    if (is_our_own_fault(number, *details)) {
        ::sigaction(number, &before_us[index], nullptr);
        if (details->si_code <= 0) ::raise(number);  // a fault comes again by itself
        errno = errnum;
        return;
    }
    if (number == timer_signal() && details->si_code == SI_TIMER) {
        // Its repetition wakes the loop again should this time have been just too early.
    } else {
        if (details->si_code <= 0) senders[index].store(details->si_pid);
        arrived[index].fetch_or(details->si_code > 0 ? by_kernel : by_process);
        start_timer(std::chrono::nanoseconds(repeat_nanoseconds));
    }
    anything_arrived.store(true);
    errno = errnum;
}

}  // namespace

SignalRelay::SignalRelay() {
    ::sigprocmask(SIG_SETMASK, nullptr, &saved_mask_);
    AllSignalsBlocked quiet;
    sigevent wake{};
    wake.sigev_notify = SIGEV_SIGNAL;
    wake.sigev_signo = timer_signal();
    has_timer.store(::timer_create(CLOCK_MONOTONIC, &wake, &timer) == 0);
    if (!has_timer.load()) timer_errnum_ = errno;

    struct sigaction handler {};
    handler.sa_sigaction = &take_note;
    handler.sa_flags = SA_SIGINFO;  // no SA_RESTART: wait4 is to return
    ::sigfillset(&handler.sa_mask);
    replace(timer_signal(), handler);
    for (const int number : relayed()) {
        if (number == timer_signal()) continue;
        struct sigaction present {};
        ::sigaction(number, nullptr, &present);
        if (is_fault(number)) before_us[static_cast<std::size_t>(number)] = present;
        // Under nohup, or in the background of a script, a signal is ignored on purpose.
        if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_IGN) replace(number, handler);
    }
    const struct sigaction ignore = plain_action(SIG_IGN);
    for (const int number : ignored) replace(number, ignore);
    for (const int number : ending_signals())
        if (is_kept_by_libc(number)) replace(number, ignore);
    // An ignored SIGCHLD would reap our children before we can ask for their status.
    replace(SIGCHLD, plain_action(SIG_DFL));
    have_cpu_limit_warn();

    // What we relay must reach us even where we were started with it blocked; the target keeps the mask we
    // found.
    sigset_t ours = saved_mask_;
    ::sigdelset(&ours, timer_signal());
    for (const int number : relayed()) ::sigdelset(&ours, number);
    for (const int number : ignored) ::sigdelset(&ours, number);
    quiet.and_then(ours);
}

SignalRelay::~SignalRelay() {
    AllSignalsBlocked quiet;
    quiet.and_then(saved_mask_);
    if (has_timer.exchange(false)) ::timer_delete(timer);
    if (saved_cpu_limit_) ::setrlimit(RLIMIT_CPU, &*saved_cpu_limit_);
    for (const Saved& saved : saved_) {
        exchange_action(saved.number, saved.action, nullptr);
        // What has come too late to be taken is the caller's, where he has a handler for it.
        const bool is_handled = (saved.action.sa_flags & SA_SIGINFO) != 0 ||
                                (saved.action.sa_handler != SIG_DFL && saved.action.sa_handler != SIG_IGN);
        const auto index = static_cast<std::size_t>(saved.number);
        if (is_handled && arrived.at(index).load() != 0) ::raise(saved.number);
    }
    anything_arrived.store(false);
    for (auto& number : arrived) number.store(0);
}

Result<void> SignalRelay::can_wake() const {
    if (timer_errnum_ == 0) return {};
    return fail("cannot wait for signals and deadlines: there is no timer (is `ulimit -i` exhausted?)", {},
                timer_errnum_);
}

void SignalRelay::replace(int number, const struct sigaction& action) {
    Saved saved{number, {}};
    if (exchange_action(number, action, &saved.action)) saved_.push_back(saved);
}

// At the hard limit the kernel kills, at the soft one it warns; `ulimit -t` sets both to the same.
void SignalRelay::have_cpu_limit_warn() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return;
    const rlimit earlier{std::max<rlim_t>(limit.rlim_max, seconds_of_warning + 1) - seconds_of_warning,
                         limit.rlim_max};
    if (limit.rlim_cur <= earlier.rlim_cur) return;
    if (::setrlimit(RLIMIT_CPU, &earlier) == 0) saved_cpu_limit_ = limit;
}

void SignalRelay::restore_dispositions_in_child() const {
    for (const Saved& saved : saved_) exchange_action(saved.number, saved.action, nullptr);
    if (saved_cpu_limit_) ::setrlimit(RLIMIT_CPU, &*saved_cpu_limit_);
}

void SignalRelay::restore_mask_in_child() const { ::sigprocmask(SIG_SETMASK, &saved_mask_, nullptr); }

bool SignalRelay::woken() { return anything_arrived.load(std::memory_order_relaxed); }

std::optional<SignalRelay::Signal> SignalRelay::next() {
    anything_arrived.store(false);
    for (const int number : relayed()) {
        std::atomic<unsigned>& sources = arrived[static_cast<std::size_t>(number)];
        for (const Source source : {by_process, by_kernel})
            if ((sources.load() & source) != 0) {
                sources.fetch_and(~static_cast<unsigned>(source));
                const pid_t sender = senders[static_cast<std::size_t>(number)].load();
                return Signal{number, source == by_kernel, source == by_kernel ? 0 : sender};
            }
    }
    return std::nullopt;
}

void SignalRelay::wake_at(std::optional<std::chrono::steady_clock::time_point> deadline) {
    if (deadline)
        start_timer(*deadline - std::chrono::steady_clock::now());
    else
        stop_timer();
    // A signal that came in between had its repeated waking cancelled: let the loop look once more.
    if (std::any_of(arrived.begin(), arrived.end(), [](const auto& sources) { return sources.load() != 0; }))
        anything_arrived.store(true);
}

void SignalRelay::stop_ourselves(int signal) const {
    struct sigaction standard {};
    struct sigaction ours {};
    standard.sa_handler = SIG_DFL;
    if (signal != SIGSTOP) ::sigaction(signal, &standard, &ours);
    ::raise(signal);
    if (signal != SIGSTOP) ::sigaction(signal, &ours, nullptr);
}

AllSignalsBlocked::AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &after_);
}

AllSignalsBlocked::~AllSignalsBlocked() { ::sigprocmask(SIG_SETMASK, &after_, nullptr); }

}  // namespace callcensus::ptrace
