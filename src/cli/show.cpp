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
    std::string order = "name";
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

int show(const ShowCommandOptions& options) {
    if (const auto readable = check_inputs(options.files); !readable) return complain(readable.error());
    const ShowOrder order = options.order == "count"  ? ShowOrder::count
                            : options.order == "risk" ? ShowOrder::risk
                                                      : ShowOrder::name;
    std::string text;
    std::size_t count = 0;
    for (const std::string& path : options.files) {
        const auto inputs = read_inputs(path);
        if (!inputs) return complain(inputs.error());
        for (const auto& [name, held] : *inputs) {
            text += text.empty() ? "" : options.json ? ",\n" : "\n";
            text += shown(name, held, order, options.json);
            ++count;
        }
    }
    if (options.json) text = count == 1 && options.files.size() == 1 ? text + "\n" : "[" + text + "]\n";
    const auto written = write_all(STDOUT_FILENO, text, "standard output");
    return written ? 0 : complain(written.error());
}

}  // namespace

Subcommand add_show(CLI::App& app) {
    const auto options = std::make_shared<ShowCommandOptions>();
    CLI::App* sub = app.add_subcommand("show", "Show what a profile or recording holds, as a table");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus show [OPTIONS] FILE..."));
    sub->footer(
        "Risky calls are coloured on a terminal, unless NO_COLOR is set.\n\n"
        "Example:\n"
        "  callcensus show --sort risk seccomp.json");
    sub->add_option("FILE", options->files,
                    "Profiles or recordings; - is standard input, FILE#NAME one of several in it")
        ->required()
        ->option_text("FILE");
    sub->add_option("--sort", options->order, "Within each group by name (default), count (recordings), risk")
        ->check(CLI::IsMember({"name", "count", "risk"}))
        ->option_text("BY");
    sub->add_flag("--json", options->json,
                  "As JSON: an object, or a list of one for each profile or recording");
    return {sub, TargetBegins::never, [options](const std::vector<std::string>&) { return show(*options); }};
}

}  // namespace callcensus::cli
