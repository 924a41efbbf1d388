// The filter that lets a process make the calls of the census at native speed and stops it at all others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "bpf/filter.hpp"
#include "callcensus/argument_set.hpp"
#include "callcensus/syscall_set.hpp"

namespace callcensus::ptrace {

/// What PTRACE_GET_SYSCALL_INFO reports at a stop of our filter: tells ours from a filter of the target's
/// own.
constexpr std::uint16_t our_filter_data = 0xca11;

/// Lets the calls of `known` through, save those that the engine has to see each time: what installs a
/// filter, what could trace us, what can make a child that is not traced. Of `known_if` those with these
/// arguments, as far as that makes no long filter. Empty where the set is too large.
[[nodiscard]] std::optional<Filter> census_filter(const SyscallSet& known,
                                                  const std::map<Syscall, ArgumentSet>& known_if = {});

/// Whether the filter lets the call through once it is known, with most arguments at least.
[[nodiscard]] bool passes_when_known(Syscall call);

}  // namespace callcensus::ptrace
