// Takes hold of processes that run already.
#pragma once

#include <sys/types.h>

#include <vector>

#include "callcensus/result.hpp"

namespace callcensus::ptrace {

/// PTRACE_SEIZE with `options` (PTRACE_O_*, which must include TRACECLONE) on every thread of the process,
/// also on those that appear meanwhile, and PTRACE_INTERRUPT: a TrapStop or GroupStop of each will follow.
/// Threads that a seized one creates are tracees by themselves and not in the list. `seized` gets the
/// threads, also where an error ends the attempt half way.
[[nodiscard]] Result<void> seize_threads(pid_t process, long options, std::vector<pid_t>& seized);

}  // namespace callcensus::ptrace
