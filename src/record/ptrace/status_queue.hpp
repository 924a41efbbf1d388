// The wait statuses of all tracees, each in its turn, and with each the task that it reports stopped: nobody
// else makes a StoppedTask.
//
//     StatusQueue statuses;
//     while (auto report = statuses.next(several)) act(std::move(*report));
//
// The kernel always reports the first waiting task of a list, so that a few hot tasks at its head would
// starve the others. Every so many statuses all that wait are collected first, and each is served once.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <tl/expected.hpp>

#include "record/ptrace/stop.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {

/// A status as wait(2) composes it.
struct Waited {
    pid_t tid;
    int status;
};

/// Why there is none.
enum class NoStatus : std::uint8_t {
    none_yet,
    interrupted,  ///< by a signal
    no_child,     ///< nobody is left who could have one
};

/// waitid(2) for a task, or for any where `which` is 0. The options are those of waitid; __WALL goes without
/// saying.
using WaitFunction = std::function<tl::expected<Waited, NoStatus>(pid_t which, int options)>;
[[nodiscard]] tl::expected<Waited, NoStatus> wait_for(pid_t which, int options);

/// What has become of a task.
struct Report {
    pid_t tid;
    Stop stop;
    std::optional<StoppedTask> stopped;  ///< unless it has ended
};

class StatusQueue {
  public:
    static constexpr std::uint32_t collection_interval = 32;

    explicit StatusQueue(WaitFunction wait = &wait_for) : wait_(std::move(wait)) {}

    /// The end of this task will be reported while it is still there, and nothing else until reap(). Its
    /// parent, where we are not that, hears of it only then: ptrace(2).
    void keep_at_its_end(pid_t tid) { kept_ = tid; }
    /// Reaps it where its end has been reported, and does nothing otherwise.
    void reap();

    /// Waits for the next one. `several`: there is more than one tracee.
    [[nodiscard]] tl::expected<Report, NoStatus> next(bool several);
    /// Waits for the next one of that task, through signals. Only before next() has been called.
    [[nodiscard]] tl::expected<Report, NoStatus> next_of(pid_t task);
    /// The first one that is `wanted`, of those that have come and of those that come until the deadline.
    [[nodiscard]] std::optional<Report> find(const std::function<bool(const Report&)>& wanted,
                                             std::chrono::steady_clock::time_point deadline);

    /// Takes what has come, without waiting, so that has_any_of() can tell.
    void collect();
    [[nodiscard]] bool has_any_of(pid_t task) const;
    /// Why next() would have to wait now; empty where it would not.
    [[nodiscard]] std::optional<NoStatus> why_empty();

    /// Leaves the tasks of all reports that have not been taken to the kernel.
    void abandon();

  private:
    [[nodiscard]] tl::expected<Waited, NoStatus> wait(int options);
    [[nodiscard]] static Report decoded(Waited waited);

    WaitFunction wait_;
    pid_t kept_ = 0;
    bool end_is_reported_ = false;  // of that task
    std::deque<Report> collected_;
    std::uint32_t since_collection_ = 0;
};

}  // namespace callcensus::ptrace
