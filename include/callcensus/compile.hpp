/// A profile as the filter that the kernel gets: by libseccomp, as container runtimes do it.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "callcensus/meaning.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

struct CompiledFilter {
    std::vector<sock_filter> code;    ///< for seccomp(2), in this machine's byte order
    std::string pfc;                  ///< libseccomp's readable form; without calls that it has no name for
    std::vector<std::string> losses;  ///< what the filter leaves out, one line each
    std::vector<std::string> pfc_losses;  ///< what its readable form leaves out besides
};

/// The filter for a machine: includes, excludes and archMap are resolved, and libseccomp is given what runc
/// and crun give it, in the order of the profile. Calls that libseccomp has no name for, but callcensus has,
/// are tested by instructions of our own before its code. What runc puts before that is not part of it:
/// ENOSYS for numbers above the highest one that a profile names.
///
/// Fails where the runtimes do: rules that contradict each other for libseccomp (EEXIST) or make it compute
/// without end, ABIs of different byte orders in one profile, actions that the kernel does not know; and
/// where the kernel would not take so long a filter.
[[nodiscard]] Result<CompiledFilter> compile(const Profile& profile, const Machine& machine);

}  // namespace callcensus
