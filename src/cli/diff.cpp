// callcensus diff: what a new profile or recording asks for that an old one did not.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/diff.hpp"
#include "callcensus/diff_report.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

constexpr int different = 1;

struct DiffCommandOptions {
    std::string before;
    std::string after;
    std::string format = "text";
    std::string fail_on = "any";
    bool conditions = false;
    MachineOptions machine;
};

bool counts(const std::string& fail_on, const CallChange& change) {
    if (fail_on == "added") return gains(change);
    if (fail_on == "removed") return losses(change);
    if (fail_on == "risky") return gains(change) && is_risky(change.risk);
    return true;
}

bool counts(const std::string& fail_on, const Difference& difference) {
    if (fail_on == "added") return gains(difference);
    if (fail_on == "removed") return losses(difference);
    if (fail_on == "risky") return risky_gains(difference);
    return !difference.empty();
}

int compare(const DiffCommandOptions& options) {
    const auto machine = options.machine.resolve();
    if (!machine) return complain(machine.error(), trouble);
    if (const auto readable = check_inputs({options.before, options.after}); !readable)
        return complain(readable.error(), trouble);
    const Abi native = native_abi_of(*machine).value();
    const auto before = read_input(options.before, native);
    if (!before) return complain(before.error(), trouble);
    const auto after = read_input(options.after, native);
    if (!after) return complain(after.error(), trouble);
    if (options.conditions && (before->index() != 0 || after->index() != 0))
        return complain({"compares profiles; a recording has no conditions", "--conditions", 0}, trouble);

    const std::string name_before = input_name(options.before);
    const std::string name_after = input_name(options.after);
    const auto difference = diff(*before, *after, {*machine, options.conditions, name_before, name_after});
    if (!difference) return complain(difference.error(), trouble);
    Difference general = *difference;
    general.calls.clear();
    const DiffReport report{name_before, name_after, *difference,
                            [&](const CallChange& change) { return counts(options.fail_on, change); },
                            counts(options.fail_on, general)};
    const std::string text = options.format == "json"       ? diff_json(report)
                             : options.format == "markdown" ? diff_markdown(report)
                             : options.format == "sarif"    ? diff_sarif(report)
                             : options.format == "junit"    ? diff_junit(report)
                                                            : diff_text(report);
    if (const auto written = write_all(STDOUT_FILENO, text, "standard output"); !written)
        return complain(written.error(), trouble);
    return counts(options.fail_on, *difference) ? different : 0;
}

}  // namespace

Subcommand add_diff(CLI::App& app) {
    const auto options = std::make_shared<DiffCommandOptions>();
    CLI::App* sub = app.add_subcommand("diff", "Compare profiles or recordings by what they mean");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus diff [OPTIONS] OLD NEW"));
    sub->footer(
        "Exit status: 0 same, 1 different (as --fail-on says), 2 trouble.\n\n"
        "Example:\n"
        "  callcensus diff --fail-on risky --format markdown release1.json release2.json");
    sub->add_option("OLD", options->before, "A profile or a recording; - is standard input")
        ->required()
        ->option_text("FILE");
    sub->add_option("NEW", options->after, "Another, not necessarily of the same kind")
        ->required()
        ->option_text("FILE");
    sub->add_option("--format", options->format, "text (default), json, markdown, sarif, junit")
        ->check(CLI::IsMember({"text", "json", "markdown", "sarif", "junit"}))
        ->option_text("NAME");
    sub->add_option("--fail-on", options->fail_on,
                    "Which changes make the exit status 1: any (default), added, removed, risky (added ones)")
        ->check(CLI::IsMember({"any", "added", "removed", "risky"}))
        ->option_text("WHICH");
    sub->add_flag("--conditions", options->conditions,
                  "Compare includes and excludes as conditions, in every situation that they tell apart");
    options->machine.add_to(*sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return compare(*options); }, trouble};
}

}  // namespace callcensus::cli
