/// Holding what a program does against a profile: which calls would be denied, by which rule, and what the
/// profile allows without need.
///
///     const auto policy = put_in_force(profile, this_machine());
///     policy->decide(call, arguments, instruction_pointer);      // what the kernel would do
///     for (const Denial& denial : denials_of(recordings, *policy)) …
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/call_site.hpp"
#include "callcensus/derive.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"
#include "callcensus/syscall_set.hpp"

namespace callcensus {

/// A profile as it works on a machine.
struct PolicyInForce {
    std::vector<sock_filter> filter;                      ///< as runtimes compile it (compile())
    std::uint32_t filter_flags = 0;                       ///< SECCOMP_FILTER_FLAG_*, for seccomp(2)
    std::vector<std::string> losses;                      ///< what the filter leaves out, one line each
    SyscallSet let_through;                               ///< whatever the arguments
    std::map<Syscall, ArgumentSet> let_through_if;        ///< with these arguments
    std::map<Syscall, std::set<std::uint32_t>> looks_at;  ///< the indexes of arguments that have a say

    /// What the kernel does to a call, by the filter itself.
    [[nodiscard]] Decision decide(Syscall call, const Arguments& arguments,
                                  std::uint64_t instruction_pointer = 0) const;
    /// The same where arguments are not known; empty where it depends on them.
    [[nodiscard]] std::optional<Decision> decide(Syscall call) const;
    /// The same of a call that a recorder reports.
    [[nodiscard]] std::optional<Decision> decide(const SyscallSeen& seen) const;
};

/// Fails as compile() does, and where rules are too complicated.
[[nodiscard]] Result<PolicyInForce> put_in_force(const Profile& profile, const Machine& machine);

/// A call that a profile does not let through, by one executable and with one decision.
struct Denial {
    Syscall call{};
    std::optional<Decision> decision;  ///< empty: that depends on arguments, which are not known
    std::string runtime;  ///< "runc": the container runtime makes it before the command. Else empty, and:
    std::string executable;
    pid_t process = 0;  ///< the first, and its thread that made it; 0 where that is not known
    pid_t thread = 0;
    std::string text;  ///< the first one with its arguments: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY)`
    std::uint64_t count = 0;
    bool exact = true;  ///< else at least so often
    Milliseconds first{};
    std::optional<CallSite> site;  ///< of the first one whose place is known
    /// With which the first one was made, as far as the profile looks at them (the others are 0); empty where
    /// they are not known or do not matter.
    std::optional<Arguments> first_arguments;
    /// The different ones, in the same way; empty also where there are too many.
    std::set<Arguments> arguments;
};

/// Whether the call does not take place, for certain: a listener (SCMP_ACT_NOTIFY) may let it.
[[nodiscard]] bool is_denial(const Denial& denial);

/// What recordings have seen together and the profile does not let through, or not with all arguments.
[[nodiscard]] std::vector<Denial> denials_of(std::span<const Recording> recordings,
                                             const PolicyInForce& policy);

/// What a container runtime calls between loading the filter and executing the command and the profile does
/// not let through, whatever the arguments. Nothing for RuntimeSet::none.
[[nodiscard]] std::vector<Denial> denials_of(RuntimeSet runtime, bool no_new_privileges,
                                             const PolicyInForce& policy, const Machine& machine);

}  // namespace callcensus
