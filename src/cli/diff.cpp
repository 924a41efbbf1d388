// callcensus diff: what a new profile or recording asks for that an old one did not.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/diff.hpp"
#include "callcensus/diff_report.hpp"
#include "cli/choices.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

constexpr int different = 1;

/// Which changes make the status 1.
enum class FailOn : std::uint8_t { any, added, removed, risky };

struct DiffCommandOptions {
    std::string before;
    std::string after;
    ReportFormat format = ReportFormat::text;
    FailOn fail_on = FailOn::any;
    bool conditions = false;
    MachineOptions machine;
};

bool counts(FailOn fail_on, const CallChange& change) {
    if (fail_on == FailOn::added) return gains(change);
    if (fail_on == FailOn::removed) return losses(change);
    if (fail_on == FailOn::risky) return gains(change) && is_risky(change.risk);
    return true;
}

bool counts(FailOn fail_on, const Difference& difference) {
    if (fail_on == FailOn::added) return gains(difference);
    if (fail_on == FailOn::removed) return losses(difference);
    if (fail_on == FailOn::risky) return risky_gains(difference);
    return !difference.empty();
}

Result<int> compare(const DiffCommandOptions& options) {
    const auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    if (const auto readable = check_inputs({options.before, options.after}); !readable)
        return tl::unexpected(readable.error());
    const Abi native = native_abi_of(*machine).value();
    const auto before = read_input(options.before, native);
    if (!before) return tl::unexpected(before.error());
    const auto after = read_input(options.after, native);
    if (!after) return tl::unexpected(after.error());
    if (options.conditions && (before->index() != 0 || after->index() != 0))
        return fail("compares profiles; a recording has no conditions", "--conditions");

    const std::string name_before = input_name(options.before);
    const std::string name_after = input_name(options.after);
    const auto difference = diff(*before, *after, {*machine, options.conditions, name_before, name_after});
    if (!difference) return tl::unexpected(difference.error());
    Difference general = *difference;
    general.calls.clear();
    const DiffReport report{name_before, name_after, *difference,
                            [&](const CallChange& change) { return counts(options.fail_on, change); },
                            counts(options.fail_on, general)};
    const std::string text = options.format == ReportFormat::json       ? diff_json(report)
                             : options.format == ReportFormat::markdown ? diff_markdown(report)
                             : options.format == ReportFormat::sarif    ? diff_sarif(report)
                             : options.format == ReportFormat::junit    ? diff_junit(report)
                                                                        : diff_text(report);
    if (const auto written = write_all(STDOUT_FILENO, text, "standard output"); !written)
        return tl::unexpected(written.error());
    return counts(options.fail_on, *difference) ? different : 0;
}

}  // namespace

Subcommand add_diff(Program& program) {
    const auto options = std::make_shared<DiffCommandOptions>();
    CommandLine sub = program.add("diff", "Compare profiles or recordings by what they mean");
    sub.usage("callcensus diff [OPTIONS] OLD NEW");
    sub.footer(
        "Exit status: 0 same, 1 different (as --fail-on says), 2 trouble.\n\n"
        "Example:\n"
        "  callcensus diff --fail-on risky --format markdown release1.json release2.json");
    sub.value("OLD", "FILE", options->before, "A profile or a recording; - is standard input").required();
    sub.value("NEW", "FILE", options->after, "Another, not necessarily of the same kind").required();
    sub.choice("--format", "NAME", options->format,
               {{"text", ReportFormat::text},
                {"json", ReportFormat::json},
                {"markdown", ReportFormat::markdown},
                {"sarif", ReportFormat::sarif},
                {"junit", ReportFormat::junit}},
               "text (default), json, markdown, sarif, junit");
    sub.choice("--fail-on", "WHICH", options->fail_on,
               {{"any", FailOn::any},
                {"added", FailOn::added},
                {"removed", FailOn::removed},
                {"risky", FailOn::risky}},
               "Which changes make the exit status 1: any (default), added, removed, risky (added ones)");
    sub.flag("--conditions", options->conditions,
             "Compare includes and excludes as conditions, in every situation that they tell apart");
    options->machine.add_to(sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return compare(*options); }, trouble};
}

}  // namespace callcensus::cli
