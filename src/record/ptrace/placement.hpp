// Keeps the tracer on the processor of the task that it serves, where that makes stops cheaper.
//
// A stop whose tracer runs on another processor wakes that processor and then the task's own again; on the
// same one it is two context switches. Measured on two virtual processors (kernel 6.18), one thread in a
// getppid loop under PTRACE_SYSCALL: 48 us a stop across processors, 6.3 us on the same one; `ls -lR` 52
// and 8.9.
//
// Pinning the tracer alone does not do it (measured: 49 us): on each wake-up the scheduler sees the tracer
// keeping the processor busy and moves the *task* to an idle one. But a processor that runs only SCHED_IDLE
// work counts as idle (sched_idle_cpu() in kernel/sched/fair.c), so that a tracer with that policy lets the
// task come back. The task's own affinity and policy are never touched.
//
// It has a price: a SCHED_IDLE tracer waits while anything else wants its processor, and where the target
// itself keeps all processors busy (many threads, a parallel make) it gains nothing. So it is tried only
// while a single task makes nearly all stops, those are slow and the machine has a processor to spare; it is
// kept only while that helps, and given up at once when a stop takes long; and it is tried only where the way
// back is open (CAP_SYS_NICE: an unprivileged process cannot leave SCHED_IDLE, sched(7)).
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace callcensus::ptrace {

/// The decision by itself: fed with windows of stops, it says where the tracer should be.
class PlacementPolicy {
  public:
    static constexpr std::uint32_t window = 128;  ///< stops; a quarter of a millisecond to ten

    struct Window {
        std::chrono::nanoseconds duration{};
        std::uint32_t stops_of_one_task = 0;  ///< by the task that ended the window before
        bool processor_to_spare = true;       ///< fewer tasks want to run than there are processors
    };
    enum class Place { anywhere, beside_the_task };

    Place after(const Window& seen);
    /// At the beginning there is but one task, and short programs are over before windows could tell.
    Place at_the_start(bool processor_to_spare);
    /// Beside the task, a single stop has taken so long that somebody else must be keeping us from the
    /// processor (or that the task makes few calls, and it does not matter).
    Place after_long_wait();

  private:
    Place retreat();

    Place place_ = Place::anywhere;
    std::chrono::nanoseconds elsewhere_{};  // what a window took before the tracer moved beside the task
    std::uint32_t windows_to_wait_ = 0;
    std::uint32_t patience_ = 4;  // doubles with every move that did not help
    std::uint32_t windows_beside_ = 0;
};

/// Carries the decision out, for the calling thread, and undoes it at the end.
class Placement {
  public:
    Placement();
    Placement(const Placement&) = delete;
    Placement& operator=(const Placement&) = delete;
    ~Placement();

    /// The first task, which has just been launched.
    void starts_with(pid_t tid);
    /// To be called at every stop; costs a comparison and an increment save once in a window.
    void served(pid_t tid) {
        if (!usable_) return;
        if (tid == current_) ++of_current_;
        if (beside_) watch_the_clock();
        if (++stops_ == PlacementPolicy::window) end_of_window(tid);
    }

  private:
    void end_of_window(pid_t tid);
    void watch_the_clock();
    void go_anywhere();
    void go_beside(pid_t tid);

    PlacementPolicy policy_;
    bool usable_ = false;
    bool beside_ = false;
    pid_t current_ = 0;  // the task sampled in this window: the one that ended the last one
    std::uint32_t of_current_ = 0;
    std::uint32_t stops_ = 0;
    std::chrono::steady_clock::time_point window_began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_stop_;  // kept only beside the task
    cpu_set_t allowed_{};
    int policy_before_ = SCHED_OTHER;
    std::optional<int> processor_;
};

}  // namespace callcensus::ptrace
