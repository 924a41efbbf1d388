// The files behind a task's mappings.
#pragma once

#include <sys/types.h>

#include "base/procfs.hpp"
#include "base/unique_fd.hpp"

namespace callcensus {

/// Opens the very file that a task has mapped, in its mount namespace; the caller has the right to ptrace it.
/// Only a regular file is opened: opening another could block, or do something. None that a process serves
/// either: that process may be one that stands still until we have looked. Empty where that cannot be.
[[nodiscard]] UniqueFd open_mapped(pid_t tid, const procfs::Mapping& mapping);

}  // namespace callcensus
