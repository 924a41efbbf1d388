// The profiles that a command writes: one, or with --split one for each executable.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "callcensus/derive.hpp"
#include "callcensus/result.hpp"
#include "cli/policy_options.hpp"
#include "report/summary.hpp"

namespace callcensus::cli {

/// Derives them. `output` is what -o names; with --split the executable's name comes into it:
/// seccomp.nginx.json.
[[nodiscard]] std::vector<ProfileReport> derive_profiles(std::span<const Recording> recordings,
                                                         const DeriveOptions& options, bool split,
                                                         const std::string& output);

}  // namespace callcensus::cli
