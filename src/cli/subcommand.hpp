// A subcommand is one file that fills in one of these; main.cpp holds the table of them.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus::cli {

/// Exit statuses of our own, as env(1), timeout(1) and shells have them.
constexpr int failed = 125;
constexpr int cannot_execute = 126;
constexpr int not_found = 127;

struct Subcommand {
    CLI::App* app = nullptr;
    bool takes_target = false;
    std::function<int(const std::vector<std::string>& target)> run;
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

/// `callcensus: …` on standard error.
void say(const std::string& line);
/// The line alone.
void say_plain(const std::string& line);
/// The same for an error, with the status to end with.
int complain(const Error& error);

}  // namespace callcensus::cli
