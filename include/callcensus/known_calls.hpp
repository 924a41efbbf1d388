/// Which calls an earlier recording or profile makes known, so that a recorder need not look for them again
/// (Plan::known). Pure functions.
#pragma once

#include <span>

#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/syscall_set.hpp"

namespace callcensus {

/// What was observed, and what had been assumed then.
[[nodiscard]] SyscallSet known_calls(const Recording& recording);

/// Of any of them.
[[nodiscard]] SyscallSet known_calls(std::span<const Recording> recordings);

/// What the profile lets through whatever the arguments, the capabilities and the machine, on each of its
/// architectures. A call of which rules say different things is not known. Names that an architecture does
/// not have are passed over.
[[nodiscard]] SyscallSet known_calls(const Profile& profile);

}  // namespace callcensus
