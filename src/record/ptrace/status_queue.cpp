#include "record/ptrace/status_queue.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace callcensus::ptrace {
namespace {

int as_status(const siginfo_t& info) {
    switch (info.si_code) {
        case CLD_EXITED:
            return (info.si_status & 0xff) << 8;
        case CLD_KILLED:
        case CLD_DUMPED:
            return info.si_status & 0x7f;
        default:  // with a ptrace event above the signal
            return info.si_status << 8 | 0x7f;
    }
}

}  // namespace

tl::expected<Waited, NoStatus> wait_for(pid_t which, int options) {
    siginfo_t info{};
    const auto id = static_cast<id_t>(which);
    if (::waitid(which == 0 ? P_ALL : P_PID, id, &info, options | __WALL) != 0)
        return tl::unexpected(errno == EINTR ? NoStatus::interrupted : NoStatus::no_child);
    if (info.si_pid == 0) return tl::unexpected(NoStatus::none_yet);  // WNOHANG
    return Waited{info.si_pid, as_status(info)};
}

Report StatusQueue::decoded(Waited waited) {
    Report report{waited.tid, decode(waited.status), std::nullopt};
    if (!std::holds_alternative<Ended>(report.stop)) report.stopped = StoppedTask(waited.tid);
    return report;
}

// Of a tracee that is stopped waitid(2) tells without WSTOPPED too, as wait4(2) does. With it, it would also
// tell of a child of ours that is no tracee.
tl::expected<Waited, NoStatus> StatusQueue::wait(int options) {
    if (kept_ == 0) return wait_(0, WEXITED | options);
    if (end_is_reported_) return tl::unexpected(NoStatus::none_yet);
    for (;;) {
        const auto seen = wait_(0, WEXITED | WNOWAIT | options);
        if (!seen) return seen;
        const bool is_kept = seen->tid == kept_;
        if (is_kept && std::holds_alternative<Ended>(decode(seen->status))) {
            end_is_reported_ = true;
            return seen;
        }
        // Of the kept one a stop and nothing else: it may have been killed meanwhile, and would be reaped.
        const auto taken = is_kept ? wait_(kept_, WSTOPPED | WNOHANG) : wait_(seen->tid, WEXITED | options);
        if (taken || (!is_kept && taken.error() == NoStatus::interrupted)) return taken;
        // The stop is over, and the task perhaps, too: look once more.
    }
}

void StatusQueue::reap() {
    if (!std::exchange(end_is_reported_, false)) return;
    tl::expected<Waited, NoStatus> reaped;
    do reaped = wait_(kept_, WEXITED);
    while (!reaped && reaped.error() == NoStatus::interrupted);
}

tl::expected<Report, NoStatus> StatusQueue::next(bool several) {
    if (collected_.empty() && several && ++since_collection_ >= collection_interval) {
        since_collection_ = 0;
        collect();
    }
    if (collected_.empty()) return wait(0).map(&StatusQueue::decoded);
    Report first = std::move(collected_.front());
    collected_.pop_front();
    return first;
}

tl::expected<Report, NoStatus> StatusQueue::next_of(pid_t task) {
    for (;;) {
        const auto waited = wait_(task, WEXITED);
        if (waited || waited.error() != NoStatus::interrupted) return waited.map(&StatusQueue::decoded);
    }
}

std::optional<Report> StatusQueue::find(const std::function<bool(const Report&)>& wanted,
                                        std::chrono::steady_clock::time_point deadline) {
    for (std::size_t next = 0;;) {
        for (; next < collected_.size(); ++next) {
            if (!wanted(collected_[next])) continue;
            Report found = std::move(collected_[next]);
            collected_.erase(collected_.begin() + static_cast<std::ptrdiff_t>(next));
            return found;
        }
        if (const auto waited = wait(WNOHANG))
            collected_.push_back(decoded(*waited));
        else if (std::chrono::steady_clock::now() > deadline)
            return std::nullopt;
    }
}

void StatusQueue::collect() {
    while (const auto waited = wait(WNOHANG)) collected_.push_back(decoded(*waited));
}

bool StatusQueue::has_any_of(pid_t task) const {
    return std::any_of(collected_.begin(), collected_.end(),
                       [&](const Report& report) { return report.tid == task; });
}

std::optional<NoStatus> StatusQueue::why_empty() {
    if (!collected_.empty()) return std::nullopt;
    const auto waited = wait(WNOHANG);
    if (!waited) return waited.error();
    collected_.push_back(decoded(*waited));
    return std::nullopt;
}

void StatusQueue::abandon() {
    for (Report& report : collected_)
        if (report.stopped) std::move(*report.stopped).abandon();
    collected_.clear();
}

}  // namespace callcensus::ptrace
