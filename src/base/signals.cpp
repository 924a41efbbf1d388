#include "base/signals.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace callcensus {
namespace {

constexpr int first_realtime = 32;  // to the kernel

#if !defined(__mips__)
// struct sigaction of the kernel (include/linux/signal_types.h), as all but MIPS have it.
struct KernelAction {
    void (*handler)(int) = SIG_DFL;
    unsigned long flags = 0;
    void (*restorer)() = nullptr;
    std::uint64_t mask = 0;
};

bool exchange_by_kernel(int number, const struct sigaction& action, struct sigaction* before) {
    const auto call = [number](const KernelAction* after, KernelAction* present) {
        return ::syscall(SYS_rt_sigaction, number, after, present, sizeof present->mask) == 0;
    };
    KernelAction present;
    if (!call(nullptr, &present) || (present.handler != SIG_DFL && present.handler != SIG_IGN)) return false;
    if (before != nullptr) *before = plain_action(present.handler);
    const KernelAction after{action.sa_handler, 0, nullptr, 0};
    return call(&after, nullptr);
}
#else
bool exchange_by_kernel(int, const struct sigaction&, struct sigaction*) { return false; }
#endif

}  // namespace

const std::vector<int>& ending_signals() {
    static const std::vector<int> signals = [] {
        std::vector<int> numbers{SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                 SIGFPE,  SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                                 SIGXCPU, SIGXFSZ, SIGPROF, SIGPOLL, SIGPWR,  SIGSYS,  SIGVTALRM};
#ifdef SIGSTKFLT
        numbers.push_back(SIGSTKFLT);
#endif
        for (int number = first_realtime; number < NSIG; ++number) numbers.push_back(number);
        return numbers;
    }();
    return signals;
}

bool is_fault(int number) {
    constexpr std::array faults{SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
    return std::find(faults.begin(), faults.end(), number) != faults.end();
}

bool is_kept_by_libc(int number) { return number >= first_realtime && number < SIGRTMIN; }

bool exchange_action(int number, const struct sigaction& action, struct sigaction* before) {
    if (is_kept_by_libc(number)) return exchange_by_kernel(number, action, before);
    return ::sigaction(number, &action, before) == 0;
}

struct sigaction plain_action(void (*disposition)(int)) {
    struct sigaction action {};
    action.sa_handler = disposition;
    return action;
}

void ignore_requests_to_end() {
    for (const int number : ending_signals()) exchange_action(number, plain_action(SIG_IGN), nullptr);
}

void accept_requests_to_end() {
    for (const int number : ending_signals())
        exchange_action(number, plain_action(number == SIGPIPE ? SIG_IGN : SIG_DFL), nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace callcensus
