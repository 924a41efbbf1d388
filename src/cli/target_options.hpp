// The options that say what is run or followed, and how, the same wherever something is.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/recorder.hpp"
#include "callcensus/result.hpp"
#include "cli/command_line.hpp"

namespace callcensus::cli {

[[nodiscard]] std::chrono::milliseconds milliseconds(double seconds);

/// Of a process that was there before: of the first.
[[nodiscard]] std::vector<std::string> command_of(const Target& target);

/// For the moment when processes that run already are followed.
void say_whom_we_follow(const Target& target);

struct TargetOptions {
    std::vector<std::string> attach;  // as they are written
    bool container = false;
    std::string engine{any_recorder};
    bool keep_privileges = false;
    bool until_exit = false;
    std::optional<double> timeout;     // seconds
    std::optional<double> kill_after;  // seconds

    void add_to(CommandLine& command, const std::string& group);

    [[nodiscard]] bool attaches() const { return !attach.empty(); }
    /// What to follow. `example` is a command line for the error where there is nothing.
    [[nodiscard]] Result<Target> target(const std::vector<std::string>& command,
                                        const std::string& example) const;
    /// What users of containers should know beforehand: one line, or nothing.
    [[nodiscard]] std::string advice(const std::vector<std::string>& command) const;
    /// Fills in what these options say.
    void put_on(Plan& plan) const;
    [[nodiscard]] Result<Choice> choose_engine(const Target& target, const Plan& plan) const;
};

}  // namespace callcensus::cli
