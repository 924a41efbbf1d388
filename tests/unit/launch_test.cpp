#include "record/ptrace/launch.hpp"

#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "catch.hpp"
#include "record/ptrace/task_requests.hpp"

namespace launch_test {

using namespace callcensus;
using namespace callcensus::ptrace;

namespace {

enum class Fate { lives, exits, is_killed };
Fate fate_of_children = Fate::lives;

void meet_fate() {
    if (fate_of_children == Fate::exits) ::_exit(9);
    if (fate_of_children == Fate::is_killed) ::kill(::getpid(), SIGKILL);
}

Result<pid_t> launch_true(Fate fate, StatusQueue& statuses) {
    static const int registered = ::pthread_atfork(nullptr, nullptr, &meet_fate);
    REQUIRE(registered == 0);
    fate_of_children = fate;
    const SignalRelay relay;
    const auto child = launch("/bin/true", Launch{{"true"}}, PTRACE_O_TRACESYSGOOD, relay, statuses);
    fate_of_children = Fate::lives;
    return child;
}

std::string why_not(Fate fate, StatusQueue& statuses) {
    const auto child = launch_true(fate, statuses);
    REQUIRE_FALSE(child);
    return child.error().text();
}

bool has_children() { return ::waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0; }

}  // namespace

TEST_CASE("a child that dies before it is ready is said to have died") {
    StatusQueue statuses;
    CHECK(why_not(Fate::exits, statuses) ==
          "the new process has exited with status 9 before it could execute the command");
    CHECK(why_not(Fate::is_killed, statuses) ==
          "the new process was killed by signal 9 before it could execute the command");
    CHECK_FALSE(has_children());
}

TEST_CASE("a child that dies before its first stop is said to have died") {
    StatusQueue statuses([](pid_t which, int options) {
        kill_process(which);
        return wait_for(which, options);
    });
    CHECK(why_not(Fate::lives, statuses) ==
          "the new process was killed by signal 9 before it could execute the command");
    CHECK_FALSE(has_children());
}

TEST_CASE("a child whose status is lost is said to have ended") {
    StatusQueue statuses([](pid_t which, int) -> tl::expected<Waited, NoStatus> {
        kill_process(which);
        while (const auto waited = wait_for(which, WEXITED))
            if (std::holds_alternative<Ended>(decode(waited->status))) break;
        return tl::unexpected(NoStatus::no_child);
    });
    CHECK(why_not(Fate::lives, statuses) == "the new process has ended before it could execute the command");
}

TEST_CASE("a child that lives stops at its execve") {
    StatusQueue statuses;
    const auto child = launch_true(Fate::lives, statuses);
    REQUIRE(child);
    std::size_t calls = 0;
    ExitStatus end;
    while (auto report = statuses.next(false)) {
        if (const auto* ended = std::get_if<Ended>(&report->stop)) end = ended->status;
        if (!report->stopped) continue;
        const auto info = report->stopped->syscall_info();
        if (info && info->op == PTRACE_SYSCALL_INFO_ENTRY) ++calls;
        std::move(*report->stopped).resume(StoppedTask::Until::next_call);
    }
    CHECK(end == ExitStatus{});
    CHECK(calls > 2);
}

}  // namespace launch_test
