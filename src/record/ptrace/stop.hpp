// What a wait status means for a task that was seized by PTRACE_SEIZE with PTRACE_O_TRACESYSGOOD. Decoding is
// a pure function, so that the event loop acts on names and never on bits. ptrace(2), "Stopped states".
#pragma once

#include <variant>

#include "callcensus/event.hpp"

namespace callcensus::ptrace {

struct Ended {
    ExitStatus status;
};
/// At the entry to or the exit from a system call; which of them, PTRACE_GET_SYSCALL_INFO tells.
struct SyscallStop {};
/// PTRACE_EVENT_FORK, _VFORK, _CLONE, _EXEC and the like.
struct EventStop {
    int event;
};
/// The task takes part in a job-control stop and wants PTRACE_LISTEN, so that it stays stopped until SIGCONT.
struct GroupStop {
    int signal;
};
/// A new task's first stop, the answer to PTRACE_INTERRUPT, or the end of a group-stop.
struct TrapStop {};
/// A signal is about to be delivered; the same signal must go along when the task is resumed.
struct SignalStop {
    int signal;
};

using Stop = std::variant<Ended, SyscallStop, EventStop, GroupStop, TrapStop, SignalStop>;

[[nodiscard]] Stop decode(int wait_status);

}  // namespace callcensus::ptrace
