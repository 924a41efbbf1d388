/// From recordings to a profile: the only place where numbers become names, and a pure function.
///
/// The profile gets the baseline's rules, then one rule with exactly what was observed, then one rule for
/// each reason to allow more, with a comment that says it. Every call stands in one rule only. Each further
/// rule can be switched off, so that nothing is allowed that nobody asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"
#include "callcensus/runtime_set.hpp"

namespace callcensus {

struct DeriveOptions {
    RuntimeSet runtime = RuntimeSet::any;
    bool container_exec = true;      ///< also what `podman exec` and `docker exec` need
    bool no_new_privileges = false;  ///< only what runtimes need where the container has no_new_privs
    bool unseen = true;     ///< exit, rt_sigreturn and others that happen where no recorder sees them
    bool vdso = true;       ///< calls that the vDSO answers here and the kernel may have to elsewhere
    bool assumed = true;    ///< calls that were known beforehand (Recording::assumed) and not observed
    bool families = false;  ///< calls by which another libc or kernel does the same job (families.hpp)
    /// Whose calls count: executables that match one of these globs (fnmatch(3); without a slash a glob is
    /// for the last part of the path), or all; and of these not those that match one of `exclude`.
    std::vector<std::string> only;
    std::vector<std::string> exclude;
    std::optional<Action> default_action;        ///< empty: the baseline's, or ERRNO
    std::optional<std::uint32_t> default_errno;  ///< empty: the baseline's, or ENOSYS
    std::optional<Profile> baseline;

    /// Exactly what was observed.
    [[nodiscard]] static DeriveOptions observed_only();
};

/// A call that was recorded and has no name, so that no profile can speak of it.
struct UnnamedCall {
    Syscall call{};
    std::uint64_t count = 0;
    bool exists = true;  ///< false where the kernel answered ENOSYS each time
};

struct Derivation {
    Profile profile;
    std::size_t observed = 0;  ///< names in the observed rule
    std::vector<UnnamedCall> unnamed;
    std::vector<std::string> warnings;
};

/// Whether the recordings hold what the options ask for: whose calls are whose is known only of those in
/// which every executable's set is exact (Plan::by_executable, or the ptrace engine).
[[nodiscard]] Result<void> check_derivable(std::span<const Recording> recordings,
                                           const DeriveOptions& options,
                                           bool one_for_each_executable = false);

/// Whether the calls of that executable count.
[[nodiscard]] bool selects(const DeriveOptions& options, const std::string& executable);

/// Every executable that has made calls, and the glob that matches it alone.
[[nodiscard]] std::map<std::string, std::string> executables_of(std::span<const Recording> recordings);

[[nodiscard]] Derivation derive(std::span<const Recording> recordings, const DeriveOptions& options);

}  // namespace callcensus
