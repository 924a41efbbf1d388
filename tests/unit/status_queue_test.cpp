#include "record/ptrace/status_queue.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace status_queue_test {

using namespace callcensus::ptrace;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int exited = 7 << 8;
constexpr int at_call = (SIGTRAP | 0x80) << 8 | 0x7f;
constexpr int first_stop = PTRACE_EVENT_STOP << 16 | SIGTRAP << 8 | 0x7f;
constexpr int fork_event = PTRACE_EVENT_FORK << 16 | SIGTRAP << 8 | 0x7f;

// Stands for the kernel: the statuses that wait, in its order. It keeps an end that is only looked at.
struct Kernel {
    std::vector<Waited> waiting{};
    NoStatus otherwise = NoStatus::none_yet;
    bool stops_again = false;  // each task, as soon as its stop has been taken
    std::vector<pid_t> reaped{};
    std::size_t calls = 0;
    std::map<std::size_t, NoStatus> fails{};  // the n-th call
    std::function<void()> after_a_look{};

    tl::expected<Waited, NoStatus> wait(pid_t which, int options) {
        if (const auto failure = fails.find(++calls); failure != fails.end())
            return tl::unexpected(failure->second);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            const Waited found = waiting[i];
            const bool is_end = WIFEXITED(found.status) || WIFSIGNALED(found.status);
            if (which != 0 && which != found.tid) continue;
            if (is_end && (options & WEXITED) == 0) continue;
            if ((options & WNOWAIT) != 0) {
                if (after_a_look) std::exchange(after_a_look, nullptr)();
                return found;
            }
            if (is_end) reaped.push_back(found.tid);
            if (is_end || !stops_again) waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
            return found;
        }
        return tl::unexpected((options & WNOHANG) != 0 && otherwise != NoStatus::no_child ? NoStatus::none_yet
                                                                                          : otherwise);
    }
};

StatusQueue queue_of(Kernel& kernel) {
    return StatusQueue([&](pid_t which, int options) { return kernel.wait(which, options); });
}

// There is no task behind the value.
pid_t taken(tl::expected<Report, NoStatus> report) {
    REQUIRE(report);
    if (report->stopped) std::move(*report->stopped).abandon();
    return report->tid;
}

NoStatus why_none(const tl::expected<Report, NoStatus>& report) {
    REQUIRE_FALSE(report);
    return report.error();
}

}  // namespace

TEST_CASE("a report has the task exactly where it is stopped") {
    Kernel kernel{.waiting = {{11, at_call}, {12, exited}}};
    StatusQueue queue = queue_of(kernel);
    auto stop = queue.next(true);
    REQUIRE((stop && stop->stopped));
    CHECK(stop->tid == 11);
    CHECK(stop->stopped->tid() == 11);
    CHECK(std::holds_alternative<SyscallStop>(stop->stop));
    std::move(*stop->stopped).abandon();
    const auto end = queue.next(true);
    REQUIRE(end);
    CHECK(std::get<Ended>(end->stop).status.code == 7);
    CHECK_FALSE(end->stopped);
}

TEST_CASE("tasks that stop again at once do not starve those behind them") {
    Kernel kernel{.waiting = {{11, at_call}, {12, at_call}, {13, at_call}}};
    StatusQueue queue = queue_of(kernel);
    std::map<pid_t, std::uint32_t> served;
    for (std::uint32_t turn = 0; turn < StatusQueue::collection_interval + 2; ++turn) {
        const pid_t tid = taken(queue.next(true));
        ++served[tid];
        if (tid != 13) kernel.waiting.insert(kernel.waiting.begin(), {tid, at_call});
    }
    CHECK(served == std::map<pid_t, std::uint32_t>{{11, StatusQueue::collection_interval}, {12, 1}, {13, 1}});
}

TEST_CASE("with a single tracee nothing is collected") {
    Kernel kernel{.waiting = {{11, at_call}}, .stops_again = true};
    StatusQueue queue = queue_of(kernel);
    const std::size_t many = 4 * StatusQueue::collection_interval;
    for (std::size_t i = 0; i < many; ++i) CHECK(taken(queue.next(false)) == 11);
    CHECK(kernel.calls == many);
}

TEST_CASE("what has been collected comes first, in its order") {
    Kernel kernel{.waiting = {{11, at_call}, {12, at_call}}};
    StatusQueue queue = queue_of(kernel);
    queue.collect();
    kernel.waiting = {{10, at_call}};
    CHECK(queue.has_any_of(12));
    CHECK_FALSE(queue.has_any_of(10));
    CHECK(taken(queue.next(true)) == 11);
    CHECK(taken(queue.next(true)) == 12);
    CHECK(taken(queue.next(true)) == 10);
}

TEST_CASE("the creator's event is found behind its child's first stop") {
    const auto is_fork = [](const Report& report) {
        const auto* event = std::get_if<EventStop>(&report.stop);
        return event != nullptr && event->event == PTRACE_EVENT_FORK;
    };
    Kernel kernel{.waiting = {{20, first_stop}, {12, at_call}, {13, at_call}}};
    StatusQueue queue = queue_of(kernel);
    CHECK(taken(queue.next(true)) == 20);
    SECTION("that has been collected") {
        kernel.waiting.insert(kernel.waiting.begin() + 1, {11, fork_event});
        queue.collect();
    }
    SECTION("that is still with the kernel") {
        kernel.waiting.insert(kernel.waiting.begin() + 1, {11, fork_event});
    }
    auto event = queue.find(is_fork, Clock::now() + 10s);
    REQUIRE(event);
    CHECK(taken(std::move(*event)) == 11);
    CHECK(taken(queue.next(true)) == 12);  // the others in their order, each once
    CHECK(taken(queue.next(true)) == 13);
    CHECK(why_none(queue.next(true)) == NoStatus::none_yet);
}

TEST_CASE("a creator that has been killed is not waited for beyond the deadline") {
    Kernel kernel{.waiting = {{12, at_call}}};
    StatusQueue queue = queue_of(kernel);
    const auto begun = Clock::now();
    CHECK_FALSE(queue.find([](const Report& report) { return report.tid == 11; }, begun + 1ms));
    CHECK(Clock::now() >= begun + 1ms);
    CHECK(taken(queue.next(true)) == 12);
}

TEST_CASE("why there is no status is told apart") {
    Kernel kernel;
    StatusQueue queue = queue_of(kernel);
    kernel.otherwise = NoStatus::interrupted;
    CHECK(why_none(queue.next(true)) == NoStatus::interrupted);
    CHECK(queue.why_empty() == NoStatus::none_yet);
    kernel.otherwise = NoStatus::no_child;
    CHECK(why_none(queue.next(true)) == NoStatus::no_child);
    CHECK(queue.why_empty() == NoStatus::no_child);
    kernel.waiting = {{11, at_call}};
    CHECK(queue.why_empty() == std::nullopt);
    CHECK(taken(queue.next(true)) == 11);
}

TEST_CASE("one task is waited for through signals, and past the others") {
    Kernel kernel{.waiting = {{11, at_call}, {12, first_stop}}, .fails = {{1, NoStatus::interrupted}}};
    StatusQueue queue = queue_of(kernel);
    CHECK(taken(queue.next_of(12)) == 12);
    kernel.otherwise = NoStatus::no_child;
    CHECK(why_none(queue.next_of(13)) == NoStatus::no_child);
    CHECK(taken(queue.next(true)) == 11);
}

TEST_CASE("an end is reaped as it is reported, unless that is to be kept") {
    Kernel kernel{.waiting = {{11, exited}, {12, exited}, {13, exited}}};
    StatusQueue queue = queue_of(kernel);
    queue.keep_at_its_end(12);
    queue.reap();  // there is nothing to reap yet
    CHECK(taken(queue.next(true)) == 11);
    CHECK(kernel.reaped == std::vector<pid_t>{11});
    CHECK(taken(queue.next(true)) == 12);
    CHECK(kernel.reaped == std::vector<pid_t>{11});
    // It would be reported again and again.
    CHECK(why_none(queue.next(true)) == NoStatus::none_yet);
    CHECK(queue.why_empty() == NoStatus::none_yet);
    kernel.fails = {{kernel.calls + 1, NoStatus::interrupted}};
    queue.reap();
    CHECK(kernel.reaped == std::vector<pid_t>{11, 12});
    CHECK(taken(queue.next(true)) == 13);
    CHECK(kernel.reaped == std::vector<pid_t>{11, 12, 13});
}

TEST_CASE("a kept task that is killed while its stop is taken is not reaped") {
    Kernel kernel{.waiting = {{12, at_call}}};
    StatusQueue queue = queue_of(kernel);
    queue.keep_at_its_end(12);
    kernel.after_a_look = [&] { kernel.waiting = {{12, SIGKILL}}; };
    auto report = queue.next(true);
    REQUIRE(report);
    CHECK(std::get<Ended>(report->stop).status.signal == SIGKILL);
    CHECK(kernel.reaped.empty());
    queue.reap();
    CHECK(kernel.reaped == std::vector<pid_t>{12});
}

TEST_CASE("a status that is gone before it is taken is not taken for the end of all") {
    Kernel kernel{.waiting = {{12, at_call}}};
    StatusQueue queue = queue_of(kernel);
    queue.keep_at_its_end(11);
    // A thread may vanish in another one's exec.
    kernel.after_a_look = [&] { kernel.waiting = {{13, at_call}}; };
    kernel.fails = {{2, NoStatus::no_child}};
    CHECK(taken(queue.next(true)) == 13);
}

TEST_CASE("statuses of real children are as wait(2) composes them") {
    const auto end_of_child = [](auto end) {
        const pid_t child = ::fork();
        if (child == 0) {
            end();
            ::_exit(1);
        }
        const auto waited = wait_for(child, WEXITED);
        REQUIRE(waited);
        CHECK(waited->tid == child);
        CHECK(wait_for(child, WEXITED).error() == NoStatus::no_child);
        return std::get<Ended>(decode(waited->status)).status;
    };
    CHECK(end_of_child([] { ::_exit(3); }) == callcensus::ExitStatus{3, 0});
    CHECK(end_of_child([] { ::kill(::getpid(), SIGKILL); }) == callcensus::ExitStatus{0, SIGKILL});
}

TEST_CASE("a child that runs has no status yet, and one that is traced has its stops") {
    const pid_t child = ::fork();
    if (child == 0) {
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::raise(SIGUSR1);
        ::pause();
        ::_exit(1);
    }
    const auto stop = wait_for(child, WEXITED);
    REQUIRE(stop);
    CHECK(std::get<SignalStop>(decode(stop->status)).signal == SIGUSR1);
    CHECK(wait_for(child, WEXITED | WNOHANG).error() == NoStatus::none_yet);
    ::kill(child, SIGKILL);
    CHECK(wait_for(child, WEXITED));
}

#ifndef NDEBUG
TEST_CASE("a stopped task that is forgotten is an error") {
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(STDERR_FILENO);
        std::signal(SIGABRT, SIG_DFL);  // the test runner's handler would report
        Kernel kernel{.waiting = {{11, at_call}}};
        StatusQueue queue = queue_of(kernel);
        { const auto forgotten = queue.next(true); }
        ::_exit(0);
    }
    const auto waited = wait_for(child, WEXITED);
    REQUIRE(waited);
    CHECK(std::get<Ended>(decode(waited->status)).status.signal == SIGABRT);
}
#endif

}  // namespace status_queue_test
