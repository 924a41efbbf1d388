// Where our options end and the target's command line begins.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace callcensus::cli {

struct SplitArguments {
    std::vector<std::string> ours;
    std::vector<std::string> target;
};

/// At `--`, or at the first argument that is neither an option of `command` nor an option's value. Done
/// before the parser sees anything: it would take options after the command (`trace ls -o y`) for ours.
[[nodiscard]] SplitArguments split_target(const CommandLine& command,
                                          const std::vector<std::string>& arguments);

/// At `--` alone, for commands that have arguments of their own.
[[nodiscard]] SplitArguments split_at_separator(const std::vector<std::string>& arguments);

}  // namespace callcensus::cli
