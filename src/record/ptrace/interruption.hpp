// A tracer wakes its tracees: PTRACE_INTERRUPT a task that is blocked in a call, and any signal too, even one
// that the task ignores and that without a tracer it would never hear of. Most calls are then begun again by
// the kernel, and the program does not notice. Some fail with EINTR although no signal handler has run
// (signal(7), "Interruption of system calls and library functions by stop signals"): epoll_wait, semop,
// sockets with a timeout. A program that has never heard of signals need not expect that.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/procfs.hpp"
#include "callcensus/abi.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {

/// The call that a task has just come back from, blocked until something woke it; empty where it was in its
/// own code. At any stop but those of calls themselves.
[[nodiscard]] std::optional<std::pair<Syscall, procfs::CallInProgress>> interrupted_call(
    const StoppedTask& task);

/// Has the kernel begin that call again (with its whole timeout) where it has failed with EINTR, unless a
/// signal handler is to run: its EINTR stays. True where it has. To be called at a TrapStop that answers an
/// interruption of ours, and at a SignalStop. Does nothing for other calls, other results, and where we do
/// not know the registers (not x86).
[[nodiscard]] bool undo_interruption(const StoppedTask& task);

}  // namespace callcensus::ptrace
