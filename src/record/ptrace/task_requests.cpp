#include "record/ptrace/task_requests.hpp"

#include <sys/ptrace.h>

#include <cerrno>
#include <csignal>

namespace callcensus::ptrace {

int seize(pid_t tid, long options) { return ::ptrace(PTRACE_SEIZE, tid, nullptr, options) == 0 ? 0 : errno; }

int interrupt(pid_t tid) { return ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0 ? 0 : errno; }

void kill_process(pid_t task) { ::kill(task, SIGKILL); }

}  // namespace callcensus::ptrace
