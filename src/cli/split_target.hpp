// Where our options end and the target's command line begins.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace callcensus::cli {

struct SplitArguments {
    std::vector<std::string> ours;
    std::vector<std::string> target;
};

/// At `--`, or at the first argument that is neither an option of `app` nor an option's value. Done before
/// CLI11 sees anything: it would take options behind the command (`trace ls -o y`) for ours.
[[nodiscard]] SplitArguments split_target(const CLI::App& app, const std::vector<std::string>& arguments);

/// At `--` alone, for commands that have arguments of their own.
[[nodiscard]] SplitArguments split_at_separator(const std::vector<std::string>& arguments);

}  // namespace callcensus::cli
