// A subcommand is one file that fills in one of these; main.cpp holds the table of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/messages.hpp"

namespace callcensus::cli {

/// Where the command line of a target begins, which CLI11 must not see.
enum class TargetBegins : std::uint8_t {
    never,            ///< there is none
    after_options,    ///< with the first word that is no option of ours, or behind `--`
    after_separator,  ///< behind `--`
};

struct Subcommand {
    CLI::App* app = nullptr;
    TargetBegins target_begins = TargetBegins::never;
    std::function<int(const std::vector<std::string>& target)> run;
    int status_of_errors = failed;
};

/// CLI11's help with a usage line of our own: it knows nothing of COMMAND.
class HelpWithUsage final : public CLI::Formatter {
  public:
    explicit HelpWithUsage(std::string usage) : usage_(std::move(usage)) { column_width(34); }
    std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

  private:
    std::string usage_;
};

Subcommand add_trace(CLI::App& app);
Subcommand add_derive(CLI::App& app);
Subcommand add_diff(CLI::App& app);
Subcommand add_lint(CLI::App& app);
Subcommand add_merge(CLI::App& app);
Subcommand add_minimize(CLI::App& app);
Subcommand add_show(CLI::App& app);
Subcommand add_explain(CLI::App& app);
Subcommand add_verify(CLI::App& app);
Subcommand add_convert(CLI::App& app);
Subcommand add_hook(CLI::App& app);
Subcommand add_runtime(CLI::App& app);

/// The program under the name callcensus-runtime: Docker's --add-runtime takes a path and no arguments.
int run_as_runtime(const std::vector<std::string>& arguments);

}  // namespace callcensus::cli
