// Why the kernel may refuse ptrace, in words that tell a user what to do about it.
#pragma once

#include <sys/types.h>

#include <string>

#include "callcensus/recorder.hpp"

namespace callcensus::ptrace {

/// What can be said of a target without touching it.
[[nodiscard]] Result<void> check_target(const Target& target);

/// For a child of our own.
[[nodiscard]] std::string why_ptrace_is_forbidden();

/// For a process that was there before us.
[[nodiscard]] std::string why_ptrace_is_forbidden_for(pid_t process);

/// For PTRACE_O_SUSPEND_SECCOMP; empty where nothing stands in the way (which only trying tells for certain).
[[nodiscard]] std::string why_filters_cannot_be_suspended();

}  // namespace callcensus::ptrace
