// What the wrapper runtime does to a bundle before it hands it on: pure functions over a command line and the
// texts of a config.json and a process.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"
#include "container/hook_request.hpp"

namespace callcensus {

/// The bundle of a container that runc or crun is told to make: with the commands `create` and `run`,
/// whatever options are before and after them. Empty for every other command.
[[nodiscard]] std::optional<std::string> bundle_of(const std::vector<std::string>& arguments);

/// Where the runtime is told to write its errors, for whoever started it to read (runc's --log with
/// --log-format json); empty where it is not.
[[nodiscard]] std::optional<std::string> log_of(const std::vector<std::string>& arguments);
/// A line for that file, as runc writes it.
[[nodiscard]] std::string log_line(const std::string& message);

/// Where in the arguments the file is named that describes what runc or crun is to execute in a container
/// that runs (`exec --process FILE`, as engines do it); `prefix` comes before the path in that word.
struct ProcessFile {
    std::size_t word = 0;
    std::string prefix, path;
};
[[nodiscard]] std::optional<ProcessFile> process_file_of(const std::vector<std::string>& arguments);
/// That file without our variables in its environment: an engine gives what it executes in a container the
/// environment of its image. Empty where there are none.
[[nodiscard]] std::optional<std::string> without_our_variables(std::string_view process);

/// A configuration that asks for a recording.
struct AskingConfig {
    std::string text;               ///< without our variables
    Annotations annotations;        ///< all of them, also those that the environment stands for
    bool from_environment = false;  ///< one of ours is, and so may have come with the image
};
/// Asked by the annotation of the hook or, where the container has none of ours, by CALLCENSUS_TRACE in the
/// program's environment, which stands for that annotation as CALLCENSUS_OPTIONS does for the other one; both
/// leave the environment. Everything else is kept. Empty where nothing is asked for, or where the text is
/// nothing that a runtime could read: it will say so itself.
[[nodiscard]] std::optional<AskingConfig> asking(std::string_view config);

/// The configuration with our hook, called with these arguments, once.
[[nodiscard]] std::string with_hook(std::string_view config, const std::string& program,
                                    const std::vector<std::string>& arguments);

}  // namespace callcensus
