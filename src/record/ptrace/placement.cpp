#include "record/ptrace/placement.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/procfs.hpp"

namespace callcensus::ptrace {
namespace {

using std::chrono::nanoseconds;

// A stop on the task's own processor costs 6 to 9 us where it was measured, one across processors 15 to 50.
constexpr nanoseconds slow_stop{12'000};
constexpr std::uint32_t nearly_all = PlacementPolicy::window * 9 / 10;
constexpr std::uint32_t shortest_patience = 4;
constexpr std::uint32_t longest_patience = 1024;
constexpr nanoseconds long_wait{20'000'000};

bool may_leave_idle_policy() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    return ::syscall(SYS_capget, &header, sets.data()) == 0 &&
           (sets[CAP_TO_INDEX(CAP_SYS_NICE)].effective & CAP_TO_MASK(CAP_SYS_NICE)) != 0;
}

}  // namespace

PlacementPolicy::Place PlacementPolicy::after(const Window& seen) {
    const bool one_task = seen.stops_of_one_task >= nearly_all;
    if (place_ == Place::anywhere) {
        if (windows_to_wait_ > 0) {
            --windows_to_wait_;
        } else if (one_task && seen.processor_to_spare && seen.duration > slow_stop * window) {
            place_ = Place::beside_the_task;
            elsewhere_ = seen.duration;
            windows_beside_ = 0;
        }
        return place_;
    }
    // The first window beside the task still holds the move itself.
    ++windows_beside_;
    const bool helps = seen.duration < elsewhere_ * 3 / 4;
    if (one_task && (helps || windows_beside_ == 1)) {
        if (helps) patience_ = shortest_patience;
        return place_;
    }
    return retreat();
}

PlacementPolicy::Place PlacementPolicy::at_the_start(bool processor_to_spare) {
    if (!processor_to_spare) return place_;
    place_ = Place::beside_the_task;
    elsewhere_ = std::chrono::hours(1);  // not known: only other tasks or a long wait speak against it
    return place_;
}

PlacementPolicy::Place PlacementPolicy::after_long_wait() { return retreat(); }

PlacementPolicy::Place PlacementPolicy::retreat() {
    place_ = Place::anywhere;
    windows_to_wait_ = patience_;
    patience_ = std::min(patience_ * 2, longest_patience);
    return place_;
}

Placement::Placement() : policy_before_(::sched_getscheduler(0)) {
    // A user who runs us under a policy of their own has decided already.
    usable_ = ::sched_getaffinity(0, sizeof allowed_, &allowed_) == 0 && CPU_COUNT(&allowed_) > 1 &&
              policy_before_ == SCHED_OTHER && may_leave_idle_policy();
}

Placement::~Placement() { go_anywhere(); }

void Placement::starts_with(pid_t tid) {
    current_ = tid;
    if (usable_ && policy_.at_the_start(procfs::runnable_tasks() <= CPU_COUNT(&allowed_)) ==
                       PlacementPolicy::Place::beside_the_task)
        go_beside(tid);
}

void Placement::end_of_window(pid_t tid) {
    const auto now = std::chrono::steady_clock::now();
    const bool to_spare = beside_ || procfs::runnable_tasks() <= CPU_COUNT(&allowed_);  // we are one of them
    const auto place = policy_.after({now - window_began_, of_current_, to_spare});
    if (place == PlacementPolicy::Place::beside_the_task)
        go_beside(tid);
    else
        go_anywhere();
    current_ = tid;
    of_current_ = 0;
    stops_ = 0;
    window_began_ = now;
}

void Placement::watch_the_clock() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_stop_ > long_wait && policy_.after_long_wait() == PlacementPolicy::Place::anywhere)
        go_anywhere();
    last_stop_ = now;
}

void Placement::go_beside(pid_t tid) {
    const auto processor = procfs::processor(tid);
    if (!processor || (beside_ && processor == processor_) || !CPU_ISSET(*processor, &allowed_)) return;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(*processor, &only);
    const sched_param parameters{};
    if (::sched_setaffinity(0, sizeof only, &only) != 0) return;
    if (!beside_ && ::sched_setscheduler(0, SCHED_IDLE, &parameters) != 0) {
        ::sched_setaffinity(0, sizeof allowed_, &allowed_);
        return;
    }
    beside_ = true;
    last_stop_ = std::chrono::steady_clock::now();
    processor_ = processor;
}

void Placement::go_anywhere() {
    if (!beside_) return;
    const sched_param parameters{};
    ::sched_setscheduler(0, policy_before_, &parameters);
    ::sched_setaffinity(0, sizeof allowed_, &allowed_);
    beside_ = false;
}

}  // namespace callcensus::ptrace
