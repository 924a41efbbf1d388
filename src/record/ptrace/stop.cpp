#include "record/ptrace/stop.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>

namespace callcensus::ptrace {

Stop decode(int wait_status) {
    if (WIFEXITED(wait_status)) return Ended{{WEXITSTATUS(wait_status), 0}};
    if (WIFSIGNALED(wait_status)) return Ended{{0, WTERMSIG(wait_status)}};
    const int signal = WSTOPSIG(wait_status);
    const int event = wait_status >> 16;
    if (event == PTRACE_EVENT_STOP) {
        if (signal == SIGTRAP) return TrapStop{};
        return GroupStop{signal};
    }
    if (event != 0) return EventStop{event};
    if (signal == (SIGTRAP | 0x80)) return SyscallStop{};
    return SignalStop{signal};  // a plain SIGTRAP too: it comes from int3 or kill(2) and belongs to the task
}

}  // namespace callcensus::ptrace
