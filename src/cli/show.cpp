// callcensus show: what a profile or recording holds, as a table.
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "base/file.hpp"
#include "callcensus/show_report.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

struct ShowCommandOptions {
    std::vector<std::string> files;
    ShowOrder order = ShowOrder::name;
    bool json = false;
};

// https://no-color.org: any value but an empty one.
bool wants_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return (no_colour == nullptr || *no_colour == '\0') && ::isatty(STDOUT_FILENO) == 1 &&
           (terminal == nullptr || std::string(terminal) != "dumb");
}

std::string shown(const std::string& name, const Readable& input, ShowOrder order, bool json) {
    return std::visit(
        [&](const auto& held) {
            auto calls = shown_calls(held);
            sort(calls, order);
            return json ? show_json(name, headlines(held), calls)
                        : show_text(name, headlines(held), calls, wants_colour());
        },
        input);
}

Result<int> show(const ShowCommandOptions& options) {
    if (const auto readable = check_inputs(options.files); !readable) return tl::unexpected(readable.error());
    std::string text;
    std::size_t count = 0;
    for (const std::string& path : options.files) {
        const auto inputs = read_inputs(path);
        if (!inputs) return tl::unexpected(inputs.error());
        for (const auto& [name, held] : *inputs) {
            text += text.empty() ? "" : options.json ? ",\n" : "\n";
            text += shown(name, held, options.order, options.json);
            ++count;
        }
    }
    if (options.json) text = count == 1 && options.files.size() == 1 ? text + "\n" : "[" + text + "]\n";
    return write_all(STDOUT_FILENO, text, "standard output").map([] { return 0; });
}

}  // namespace

Subcommand add_show(Program& program) {
    const auto options = std::make_shared<ShowCommandOptions>();
    CommandLine sub = program.add("show", "Show what a profile or recording holds, as a table");
    sub.usage("callcensus show [OPTIONS] FILE...");
    sub.footer(
        "Risky calls are coloured on a terminal, unless NO_COLOR is set.\n\n"
        "Example:\n"
        "  callcensus show --sort risk seccomp.json");
    sub.value("FILE", "FILE", options->files,
              "Profiles or recordings; - is standard input, FILE#NAME one of several in it")
        .required();
    sub.choice("--sort", "BY", options->order,
               {{"name", ShowOrder::name}, {"count", ShowOrder::count}, {"risk", ShowOrder::risk}},
               "Within each group by name (default), count (recordings), risk");
    sub.flag("--json", options->json, "As JSON: an object, or a list of one for each profile or recording");
    return {sub, TargetBegins::never, [options](const std::vector<std::string>&) { return show(*options); }};
}

}  // namespace callcensus::cli
