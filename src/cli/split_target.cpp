#include "cli/split_target.hpp"

namespace callcensus::cli {
namespace {

// Whether `argument` is an option whose value is the next argument.
bool takes_next(const CLI::App& app, const std::string& argument) {
    const bool is_long = argument.rfind("--", 0) == 0;
    if (is_long ? argument.find('=') != std::string::npos : argument.size() > 2)
        return false;  // --o=FILE, -oFILE
    const CLI::Option* option = app.get_option_no_throw(argument);
    return option != nullptr && option->get_items_expected_max() > 0;
}

}  // namespace

SplitArguments split_target(const CLI::App& app, const std::vector<std::string>& arguments) {
    SplitArguments split;
    auto next = arguments.begin();
    while (next != arguments.end() && *next != "--" && next->size() > 1 && next->front() == '-') {
        split.ours.push_back(*next);
        const bool value_follows = takes_next(app, *next);
        if (++next != arguments.end() && value_follows) split.ours.push_back(*next++);
    }
    if (next != arguments.end() && *next == "--") ++next;
    split.target.assign(next, arguments.end());
    return split;
}

}  // namespace callcensus::cli
