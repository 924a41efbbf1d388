/// The machine and the container that a profile is used for. Docker's and Podman's profiles have rules that
/// apply only with certain capabilities, on certain architectures or kernels; resolve() decides them as the
/// engine does when it starts a container.
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "callcensus/abi.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

struct KernelVersion {
    unsigned major = 0;
    unsigned minor = 0;
    friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};
/// "4.8" and nothing else: Docker's minKernel.
[[nodiscard]] std::optional<KernelVersion> read_kernel_version(std::string_view text);

/// Where a profile is used, as far as Docker's and Podman's includes and excludes and archMap ask.
struct Machine {
    std::string arch;            ///< Go's name: "amd64"
    std::set<std::string> caps;  ///< of the container: "CAP_CHOWN"
    KernelVersion kernel;
};
/// This one, with the capabilities that Docker gives a container by default.
[[nodiscard]] Machine this_machine();
[[nodiscard]] const std::set<std::string>& docker_default_capabilities();
/// By Go's name ("amd64") or ours ("x86_64"); null for neither.
[[nodiscard]] const AbiInfo* find_machine_abi(std::string_view name);
/// That of the machine; fails where its `arch` is none.
[[nodiscard]] Result<Abi> native_abi_of(const Machine& machine);

/// Whether the rule's includes and excludes hold.
[[nodiscard]] bool applies(const Rule& rule, const Machine& machine);

/// The same policy in plain OCI terms: the rules that apply there, without their conditions; the
/// architectures of the machine's row of archMap; numbers in place of errno names (as Podman reads them),
/// `names` in place of `name`.
[[nodiscard]] Profile resolve(const Profile& profile, const Machine& machine);

}  // namespace callcensus
