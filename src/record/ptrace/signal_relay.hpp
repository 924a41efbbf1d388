// How signals and deadlines reach a loop that blocks in wait4(2).
//
// Blocking in wait4 is what makes a stop cheap: signalfd with poll, or sigwaitinfo, would cost two more calls
// a stop. Its price is a race: a handler can run just before wait4 blocks, and then nobody wakes it. So
// whenever a handler runs it (re)starts a timer whose signal interrupts wait4 again, every few milliseconds,
// until the loop has taken note. While nothing happens the timer is silent; there is no polling.
//
// Example:
//     SignalRelay relay;                         // our handlers from here on
//     relay.wake_at(deadline);
//     for (;;) {
//         while (auto signal = relay.next()) …;  // each signal once
//         wait4(…);                              // EINTR: look again
//     }
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus::ptrace {

class SignalRelay {
  public:
    struct Signal {
        int number;
        bool from_kernel;  // by the terminal (Ctrl-C, hang-up), to the target as well; by a timer or a limit
                           // of ours; not by kill(2)
        pid_t sender;      // of the last one; 0 where the kernel does not tell
    };

    /// Catches what would end us, and what is for the target (WINCH, TSTP), unless it is ignored; ignores
    /// what nobody need hear of (PIPE, and TTIN and TTOU, which are the target's business). Faults of our own
    /// (base/signals.hpp) are left to whoever was there before us. Where RLIMIT_CPU would have us killed
    /// without a warning we are warned two seconds before, by SIGXCPU.
    SignalRelay();
    SignalRelay(const SignalRelay&) = delete;
    SignalRelay& operator=(const SignalRelay&) = delete;
    /// Restores everything.
    ~SignalRelay();

    /// An error where the system has given us no timer: deadlines would pass unnoticed, and so would a signal
    /// that comes right before wait4.
    [[nodiscard]] Result<void> can_wake() const;

    /// In a forked child, with all signals blocked: dispositions and the limit, and last of all the mask, as
    /// we found them.
    void restore_dispositions_in_child() const;
    void restore_mask_in_child() const;

    /// True when next() or a deadline may have something; cheap enough for each turn of the loop.
    [[nodiscard]] static bool woken();
    /// The next signal that has arrived, or none. Also ends the repeated waking.
    [[nodiscard]] std::optional<Signal> next();
    /// Interrupts wait4 at that time at the latest; empty: only when a signal comes.
    void wake_at(std::optional<std::chrono::steady_clock::time_point> deadline);

    /// Stops this process by `signal` (TSTP, TTIN, TTOU, STOP) with its default action; returns once
    /// continued.
    void stop_ourselves(int signal) const;

  private:
    struct Saved {
        int number;
        struct sigaction action;
    };
    void replace(int number, const struct sigaction& action);

    void have_cpu_limit_warn();

    std::vector<Saved> saved_;
    sigset_t saved_mask_{};
    int timer_errnum_ = 0;
    std::optional<rlimit> saved_cpu_limit_;  // where we have changed it
};

/// Blocks every signal for a scope: nothing may run our handlers between fork and restore_mask_in_child().
class AllSignalsBlocked {
  public:
    AllSignalsBlocked();
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
    ~AllSignalsBlocked();

    /// The mask to set at the end of the scope instead of the one found.
    void and_then(const sigset_t& mask) { after_ = mask; }

  private:
    sigset_t after_{};
};

}  // namespace callcensus::ptrace
