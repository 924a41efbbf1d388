#include "record/ptrace/stop.hpp"

#include <sys/ptrace.h>

#include <csignal>

#include "catch.hpp"

namespace stop_test {

using namespace callcensus::ptrace;

namespace {
// As wait(2) composes them: the stop signal in the second byte above 0x7f, a ptrace event above that.
int stopped(int signal, int event = 0) { return event << 16 | signal << 8 | 0x7f; }
}  // namespace

TEST_CASE("ends are told apart by exit code and signal") {
    CHECK(std::get<Ended>(decode(7 << 8)).status == callcensus::ExitStatus{7, 0});
    CHECK(std::get<Ended>(decode(SIGKILL)).status == callcensus::ExitStatus{0, SIGKILL});
    CHECK(std::get<Ended>(decode(SIGSEGV | 0x80)).status ==
          callcensus::ExitStatus{0, SIGSEGV});  // with a core
}

TEST_CASE("a system call stop is SIGTRAP with bit 7") {
    CHECK(std::holds_alternative<SyscallStop>(decode(stopped(SIGTRAP | 0x80))));
}

TEST_CASE("a plain SIGTRAP belongs to the task") {
    CHECK(std::get<SignalStop>(decode(stopped(SIGTRAP))).signal == SIGTRAP);
}

TEST_CASE("stop signals are delivered, group-stops are listened to") {
    for (const int signal : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) {
        CHECK(std::get<SignalStop>(decode(stopped(signal))).signal == signal);
        CHECK(std::get<GroupStop>(decode(stopped(signal, PTRACE_EVENT_STOP))).signal == signal);
    }
}

TEST_CASE("a trap of our own making is neither") {
    CHECK(std::holds_alternative<TrapStop>(decode(stopped(SIGTRAP, PTRACE_EVENT_STOP))));
}

TEST_CASE("events keep their number") {
    for (const int event :
         {PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE, PTRACE_EVENT_EXEC, PTRACE_EVENT_SECCOMP})
        CHECK(std::get<EventStop>(decode(stopped(SIGTRAP, event))).event == event);
}

TEST_CASE("real-time signals pass through") {
    CHECK(std::get<SignalStop>(decode(stopped(SIGRTMAX))).signal == SIGRTMAX);
}

}  // namespace stop_test
