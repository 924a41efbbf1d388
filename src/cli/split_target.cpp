#include "cli/split_target.hpp"

#include <algorithm>

namespace callcensus::cli {
namespace {

// Whether `argument` holds an option whose value is the next argument: --output, -o, -qo, but not
// --output=FILE, -oFILE.
bool takes_next(const CommandLine& command, const std::string& argument) {
    if (argument.rfind("--", 0) == 0)
        return argument.find('=') == std::string::npos && command.takes_value(argument);
    for (std::size_t i = 1; i < argument.size(); ++i)
        if (command.takes_value(std::string("-") + argument[i])) return i + 1 == argument.size();
    return false;
}

}  // namespace

SplitArguments split_target(const CommandLine& command, const std::vector<std::string>& arguments) {
    SplitArguments split;
    auto next = arguments.begin();
    while (next != arguments.end() && *next != "--" && next->size() > 1 && next->front() == '-') {
        split.ours.push_back(*next);
        const bool value_follows = takes_next(command, *next);
        if (++next != arguments.end() && value_follows) split.ours.push_back(*next++);
    }
    if (next != arguments.end() && *next == "--") ++next;
    split.target.assign(next, arguments.end());
    return split;
}

SplitArguments split_at_separator(const std::vector<std::string>& arguments) {
    const auto separator = std::find(arguments.begin(), arguments.end(), "--");
    SplitArguments split{{arguments.begin(), separator}, {}};
    if (separator != arguments.end()) split.target.assign(separator + 1, arguments.end());
    return split;
}

}  // namespace callcensus::cli
