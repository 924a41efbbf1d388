// The requests that ptrace(2) and kill(2) take for a task that runs as well as for one that is stopped: to
// begin tracing it, to have it stop, to end it. All others take a StoppedTask.
#pragma once

#include <sys/types.h>

namespace callcensus::ptrace {

/// PTRACE_SEIZE with `options` (PTRACE_O_*). 0, or the errno.
[[nodiscard]] int seize(pid_t tid, long options);

/// PTRACE_INTERRUPT: a stop follows. 0, or the errno: ESRCH where the task has died, and its end follows.
int interrupt(pid_t tid);

/// SIGKILL to the whole process, named by any of its tasks.
void kill_process(pid_t task);

}  // namespace callcensus::ptrace
