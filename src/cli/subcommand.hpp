// A subcommand is one file that fills in one of these; main.cpp holds the table of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/messages.hpp"

namespace callcensus::cli {

/// Where the command line of a target begins, which the parser must not see.
enum class TargetBegins : std::uint8_t {
    never,            ///< there is none
    after_options,    ///< with the first word that is no option of ours, or after `--`
    after_separator,  ///< after `--`
};

struct Subcommand {
    CommandLine command;
    TargetBegins target_begins = TargetBegins::never;
    /// The status to end with; an error is printed, and ends it with status_of_errors.
    std::function<Result<int>(const std::vector<std::string>& target)> run;
    int status_of_errors = failed;
};

Subcommand add_trace(Program& program);
Subcommand add_derive(Program& program);
Subcommand add_diff(Program& program);
Subcommand add_lint(Program& program);
Subcommand add_merge(Program& program);
Subcommand add_minimize(Program& program);
Subcommand add_show(Program& program);
Subcommand add_explain(Program& program);
Subcommand add_verify(Program& program);
Subcommand add_convert(Program& program);
Subcommand add_hook(Program& program);
Subcommand add_runtime(Program& program);

/// The program under the name callcensus-runtime: Docker's --add-runtime takes a path and no arguments.
int run_as_runtime(const std::vector<std::string>& arguments);

}  // namespace callcensus::cli
