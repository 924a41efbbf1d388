/// A Profile is a policy: rules over the names of system calls, a superset of the OCI and Docker formats.
/// Whatever a reader finds in a file is kept, what it does not know included, and survives being written
/// again.
///
/// Sources: OCI runtime-spec, config-linux.md "seccomp"; moby, profiles/seccomp; containers-common,
/// pkg/seccomp.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

enum class Action : std::uint8_t { allow, errno_, kill, kill_process, kill_thread, trap, trace, log, notify };

/// "SCMP_ACT_ERRNO" and the like.
[[nodiscard]] std::string_view token(Action action);
[[nodiscard]] std::optional<Action> find_action(std::string_view token);
/// The one that a misspelt token is most like: ALLOW for "ALLOW" and "SCMP_ACT_ALOW"; ERRNO where it is like
/// none.
[[nodiscard]] Action nearest_action(std::string_view token);
/// Every token, for messages: "SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, …".
[[nodiscard]] std::string all_action_tokens();
/// Whether a call meets no obstacle: ALLOW and LOG.
[[nodiscard]] bool lets_through(Action action);

/// Members of a JSON object that we do not interpret: key and value as JSON text.
using UnknownMembers = std::vector<std::pair<std::string, std::string>>;

/// How a condition compares an argument with its value: libseccomp's SCMP_CMP_NE and so on
/// (seccomp_rule_add(3)). `unknown` is in profiles that were read leniently; it never holds.
enum class Comparison : std::uint8_t { unknown, ne, lt, le, eq, ge, gt, masked_eq };
/// Its token, and C's sign where it has one.
struct ComparisonInfo {
    Comparison comparison;
    std::string_view token;  ///< "SCMP_CMP_EQ"
    std::string_view sign;   ///< "=="; empty for masked_eq
};
/// Longer signs before those that they begin with; `unknown` is none of them.
[[nodiscard]] std::span<const ComparisonInfo> all_comparisons();
[[nodiscard]] std::optional<Comparison> find_comparison(std::string_view token);
/// Empty for `unknown`.
[[nodiscard]] std::string_view token(Comparison comparison);
[[nodiscard]] std::string_view sign(Comparison comparison);

/// A condition on one argument of a call.
struct ArgumentCondition {
    std::uint32_t index = 0;      ///< 0 to 5
    std::uint64_t value = 0;      ///< for masked_eq the mask
    std::uint64_t value_two = 0;  ///< for masked_eq the value to compare with
    Comparison op = Comparison::unknown;

    friend bool operator==(const ArgumentCondition&, const ArgumentCondition&) = default;
};

/// Where a rule applies (Docker, Podman): includes or excludes.
struct Context {
    std::vector<std::string> caps;
    std::vector<std::string> arches;  ///< Go's names: "amd64"
    std::string min_kernel;           ///< "4.8"; Docker only
    UnknownMembers unknown;

    [[nodiscard]] bool empty() const {
        return caps.empty() && arches.empty() && min_kernel.empty() && unknown.empty();
    }
    friend bool operator==(const Context&, const Context&) = default;
};

struct Rule {
    std::vector<std::string> names;
    std::string name;  ///< the older spelling for a single name (Docker); never together with `names`
    Action action = Action::allow;
    std::optional<std::uint32_t> errno_ret;
    std::string errno_name;  ///< Podman: overrides errno_ret
    std::vector<ArgumentCondition> args;
    std::string comment;
    Context includes;
    Context excludes;
    UnknownMembers unknown;

    /// Whether the rule speaks of that call, in either spelling.
    [[nodiscard]] bool speaks_of(std::string_view call) const;
    friend bool operator==(const Rule&, const Rule&) = default;
};

/// Of either spelling.
[[nodiscard]] std::vector<std::string> names_of(const Rule& rule);

/// An architecture together with those that a process on it can use as well (Docker's archMap).
struct ArchitectureFamily {
    std::string architecture;
    std::vector<std::string> sub_architectures;
    friend bool operator==(const ArchitectureFamily&, const ArchitectureFamily&) = default;
};
/// Sees to it that processes of that ABI are covered on the machines that use it: by the row of the ABI that
/// is native there (AbiInfo::native), the present one or a new one.
void add_to_families(std::vector<ArchitectureFamily>& families, Abi abi);

/// Those that a profile can name: "SECCOMP_FILTER_FLAG_TSYNC" and the like, as <linux/seccomp.h> has them.
[[nodiscard]] std::span<const std::string_view> all_filter_flags();

struct Profile {
    Action default_action = Action::errno_;
    std::optional<std::uint32_t> default_errno_ret;
    std::string default_errno_name;          ///< Podman: overrides default_errno_ret
    std::vector<std::string> architectures;  ///< tokens; empty here and in arch_map: the native one only
    std::vector<ArchitectureFamily>
        arch_map;  ///< never together with `architectures`: Docker and Podman refuse that
    std::vector<std::string> flags;
    std::string listener_path;
    std::string listener_metadata;
    std::vector<Rule> rules;  ///< in order: of two that contradict each other runtimes take the first
    UnknownMembers unknown;

    friend bool operator==(const Profile&, const Profile&) = default;
};

/// Numbers in place of errno names, which Podman alone reads.
void use_errno_numbers(Profile& profile);

/// What happens to a call.
struct Decision {
    Action action = Action::errno_;  ///< never `kill`, which is another word for kill_thread
    std::uint32_t value = 0;         ///< the errno for ERRNO, the message for TRACE, else 0

    friend auto operator<=>(const Decision&, const Decision&) = default;
};
[[nodiscard]] Decision decision_of(const Rule& rule);
[[nodiscard]] Decision default_decision(const Profile& profile);

}  // namespace callcensus
