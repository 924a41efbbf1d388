/// Why a profile decides about a call as it does: the decision for some arguments, the rules that make it,
/// and where other readers of the same file decide otherwise.
///
///     for (const Reading& reading : explain(profile, this_machine(), Abi::x86_64, "clone", {}).value())
///         …                                       // the first is what podman does
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/machine.hpp"
#include "callcensus/meaning.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// Arguments of a call, as far as they are known.
using KnownArguments = std::array<std::optional<std::uint64_t>, argument_count>;

/// A rule that has a say, by itself.
struct Reason {
    std::size_t rule = 0;   ///< its index in Profile::rules
    Decision decision;      ///< what it says …
    Conditions conditions;  ///< … where these hold; for a multiplexer (socketcall) with its selector
    friend bool operator==(const Reason&, const Reason&) = default;
};

struct Reading {
    std::vector<std::string> readers;  ///< "docker", "podman": those that read the file alike
    CallMeaning meaning;               ///< for all arguments
    /// What happens to the call with the known arguments; empty where that depends on the others.
    std::optional<Decision> decision;
    /// Those that can decide about the known arguments, the deciding one first. Empty: only the default can.
    std::vector<Reason> reasons;
    bool default_decides = false;  ///< the default does, or can, besides
    bool covered = true;  ///< false: the profile is not for that ABI, whose calls all kill the thread
};

/// One reading for each group of readers that decide alike for the same reasons, podman's first. podman and
/// docker resolve conditions of Docker's profiles for the machine; docker knows no names of errnos; runc,
/// crun and containerd read plain OCI, in which includes, excludes, archMap, name and errno names do not
/// exist, so that a rule for some containers is one for all. `call` is a name, or a number of the ABI. Fails
/// for calls that the ABI does not have, and where rules are too complicated.
[[nodiscard]] Result<std::vector<Reading>> explain(const Profile& profile, const Machine& machine, Abi abi,
                                                   const std::string& call, const KnownArguments& arguments);

/// The call of an ABI with that name or number.
[[nodiscard]] Result<Syscall> find_call(Abi abi, const std::string& name_or_number);

/// The profile as docker reads it: podman alone knows names of errnos.
[[nodiscard]] Profile without_errno_names(Profile profile);

/// The profile as runc, crun and containerd read it.
[[nodiscard]] Profile as_plain_oci(const Profile& profile);

}  // namespace callcensus
