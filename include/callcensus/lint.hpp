/// What a container runtime would refuse in a profile or quietly read otherwise than it is written, and what
/// a program would not survive under it. Every code is explained in docs/lint.md.
///
///     const auto text = callcensus::read_leniently(json, "p.json");
///     for (const callcensus::Finding& finding : callcensus::lint(*text, {})) …
///
/// A profile says nothing of the program that it is for: what that program needs, lint cannot know.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/finding.hpp"
#include "callcensus/profile_text.hpp"

namespace callcensus {

/// Who reads the profile. `runc` and `crun` stand for their config.json, where Docker's additions mean
/// nothing; `spo` for the security-profiles-operator, into whose form the profile would be brought.
enum class Consumer : std::uint8_t { docker, podman, runc, crun, containerd, spo };

/// "docker" and the like.
[[nodiscard]] std::string_view to_string(Consumer consumer);
[[nodiscard]] std::optional<Consumer> find_consumer(std::string_view name);

/// All but `spo`.
[[nodiscard]] std::vector<Consumer> default_consumers();

struct LintOptions {
    std::vector<Consumer> consumers = default_consumers();
    std::vector<std::string> ignored;  ///< codes
    /// The containers have no_new_privs, under which runtimes make fewer calls. Engines start them without,
    /// unless told otherwise.
    bool no_new_privileges = false;
    Abi native = native_abi();  ///< what a profile without architectures is for
};

struct LintCheck {
    std::string_view code;   ///< "CC201"; a code is never used for anything else
    std::string_view title;  ///< "unknown system call"
};

/// All of them, in the order of their codes.
[[nodiscard]] std::vector<LintCheck> lint_checks();

/// Sorted by place.
[[nodiscard]] std::vector<Finding> lint(const ProfileText& text, const LintOptions& options);

}  // namespace callcensus
