// Starts a program so that it is followed from before its execve, and is otherwise what it would be without
// us.
#pragma once

#include <sys/types.h>

#include <string>

#include "callcensus/recorder.hpp"
#include "callcensus/result.hpp"
#include "record/ptrace/signal_relay.hpp"
#include "record/ptrace/status_queue.hpp"

namespace callcensus::ptrace {

/// Forks a child, seizes it with `options` (PTRACE_O_*) while it waits, and releases it into its execve of
/// `path`, under the target's filter where it has one. PTRACE_SEIZE and not PTRACE_TRACEME: the latter's
/// stops cannot be told from real signals. The child already runs under PTRACE_SYSCALL when this returns. The
/// error says which setting forbids it, where one does.
[[nodiscard]] Result<pid_t> launch(const std::string& path, const Launch& target, long options,
                                   const SignalRelay& relay, StatusQueue& statuses);

}  // namespace callcensus::ptrace
