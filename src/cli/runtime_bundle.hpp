// What the wrapper runtime does to a bundle before it hands it on: pure functions over a command line and the
// text of a config.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus::cli {

/// The bundle of a container that runc or crun is told to make: with the commands `create` and `run`,
/// whatever options are before and behind them. Empty for every other command.
[[nodiscard]] std::optional<std::string> bundle_of(const std::vector<std::string>& arguments);

/// The configuration with our hook, where it asks to be recorded: by the annotation of the hook, or by
/// CALLCENSUS_TRACE in the program's environment, which stands for that annotation as CALLCENSUS_OPTIONS does
/// for the other one; both leave the environment. Everything else is kept. Empty where nothing is asked for,
/// or where the text is nothing that a runtime could read: it will say so itself.
[[nodiscard]] std::optional<std::string> with_hook(std::string_view config, const std::string& program);

}  // namespace callcensus::cli
