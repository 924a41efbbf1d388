// PTRACE_INTERRUPT wakes a task that is blocked in a call. Most calls are then begun again by the kernel, and
// the program does not notice. Some fail with EINTR although no signal handler has run (signal(7),
// "Interruption of system calls and library functions by stop signals"): epoll_wait, semop, sockets with a
// timeout. A program that has never heard of signals need not expect that.
#pragma once

#include "callcensus/abi.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {

/// To be called at the TrapStop that answers the interruption, with the call that the task has come back
/// from. Has the kernel begin the call again (with its whole timeout) unless a signal handler is to run,
/// whose EINTR stays. Does nothing for other calls, other results, and where we do not know the registers
/// (not x86).
void undo_interruption(const StoppedTask& task, Syscall call);

}  // namespace callcensus::ptrace
