// What the wrapper runtime does to a bundle before it hands it on: pure functions over a command line and the
// text of a config.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"
#include "cli/hook_request.hpp"

namespace callcensus::cli {

/// The bundle of a container that runc or crun is told to make: with the commands `create` and `run`,
/// whatever options are before and behind them. Empty for every other command.
[[nodiscard]] std::optional<std::string> bundle_of(const std::vector<std::string>& arguments);

/// Where the runtime is told to write its errors, for whoever started it to read (runc's --log with
/// --log-format json); empty where it is not.
[[nodiscard]] std::optional<std::string> log_of(const std::vector<std::string>& arguments);
/// A line for that file, as runc writes it.
[[nodiscard]] std::string log_line(const std::string& message);

struct HookedConfig {
    std::string text;
    Annotations annotations;        ///< all of them, also those that the environment stands for
    bool from_environment = false;  ///< one of ours is, and so may have come with the image
};

/// The configuration with our hook, where it asks to be recorded: by the annotation of the hook, or by
/// CALLCENSUS_TRACE in the program's environment, which stands for that annotation as CALLCENSUS_OPTIONS does
/// for the other one; both leave the environment. Everything else is kept. Empty where nothing is asked for,
/// or where the text is nothing that a runtime could read: it will say so itself.
[[nodiscard]] std::optional<HookedConfig> with_hook(std::string_view config, const std::string& program);

/// Whether every file that is asked for is below the directory, links followed. An image can ask for
/// anything, and the runtime is root.
[[nodiscard]] Result<void> check_confined(const HookRequest& request, const std::string& directory);

}  // namespace callcensus::cli
