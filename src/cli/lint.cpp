// callcensus lint: what is wrong with profiles.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "callcensus/lint.hpp"
#include "callcensus/lint_report.hpp"
#include "cli/choices.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

constexpr int found_something = 1;

struct LintCommandOptions {
    std::vector<std::string> profiles;
    std::vector<std::string> consumers;
    ReportFormat format = ReportFormat::text;
    Severity severity = Severity::warning;
    std::vector<std::string> ignored;
    bool no_new_privileges = false;
};

Result<LintOptions> resolve(const LintCommandOptions& options) {
    LintOptions lint_options;
    lint_options.no_new_privileges = options.no_new_privileges;
    if (!options.consumers.empty()) lint_options.consumers.clear();
    for (const std::string& name : options.consumers) {
        const auto consumer = find_consumer(name);
        if (!consumer)
            return fail("is unknown; known are docker, podman, runc, crun, containerd and spo",
                        "--for " + name);
        auto& chosen = lint_options.consumers;
        if (std::find(chosen.begin(), chosen.end(), *consumer) == chosen.end()) chosen.push_back(*consumer);
    }
    const auto checks = lint_checks();
    for (const std::string& code : options.ignored) {
        if (std::none_of(checks.begin(), checks.end(),
                         [&](const LintCheck& check) { return check.code == code; }))
            return fail("there is no such code; docs/lint.md lists them", "--ignore " + code);
        lint_options.ignored.push_back(code);
    }
    return lint_options;
}

// Only recordings say what they are.
bool is_recording(const ProfileText& text) {
    return text.places.count("format") != 0 && text.places.count("defaultAction") == 0;
}

Result<int> lint_profiles(const LintCommandOptions& options) {
    const auto lint_options = resolve(options);
    if (!lint_options) return tl::unexpected(lint_options.error());
    std::vector<LintedFile> files;
    bool found = false;
    for (const std::string& path : options.profiles) {
        const auto profiles = read_profile_texts(path);
        if (!profiles) return tl::unexpected(profiles.error());
        LintedFile file{source_name(path), {}};
        for (const ProfileText& profile : *profiles) {
            if (is_recording(profile))
                return fail("is a recording; `callcensus derive` makes a profile of it", file.name);
            auto findings = lint(profile, *lint_options);
            file.findings.insert(file.findings.end(), findings.begin(), findings.end());
        }
        found = found || std::any_of(file.findings.begin(), file.findings.end(), [&](const Finding& finding) {
                    return finding.severity >= options.severity;
                });
        files.push_back(std::move(file));
    }
    const std::string report = options.format == ReportFormat::json    ? lint_json(files)
                               : options.format == ReportFormat::sarif ? lint_sarif(files, lint_checks())
                                                                       : lint_text(files);
    if (const auto written = write_all(STDOUT_FILENO, report, "standard output"); !written)
        return tl::unexpected(written.error());
    return found ? found_something : 0;
}

}  // namespace

Subcommand add_lint(Program& program) {
    const auto options = std::make_shared<LintCommandOptions>();
    CommandLine sub = program.add("lint", "Find what runtimes refuse in profiles or read otherwise");
    sub.usage("callcensus lint [OPTIONS] PROFILE...");
    sub.footer(
        "Exit status: 0 nothing found, 1 findings, 2 trouble. docs/lint.md explains every code.\n\n"
        "Example:\n"
        "  callcensus lint --for podman,crun profile.json");
    sub.value("PROFILE", "FILE", options->profiles,
              "In the format of docker, podman, the OCI or as a SeccompProfile; - is standard input")
        .required();
    sub.list("--for", "NAME,...", options->consumers,
             "Who reads the profile: docker, podman, runc, crun, containerd (default: these), spo");
    sub.flag("--no-new-privileges", options->no_new_privileges,
             "The containers have no_new_privs: runtimes then make fewer calls of their own");
    sub.choice("--format", "NAME", options->format,
               {{"text", ReportFormat::text}, {"json", ReportFormat::json}, {"sarif", ReportFormat::sarif}},
               "text (default), json, sarif");
    sub.choice("--severity", "NAME", options->severity,
               {{"note", Severity::note}, {"warning", Severity::warning}, {"error", Severity::error}},
               "The least one that makes the exit status 1: note, warning (default), error");
    sub.list("--ignore", "CODE,...", options->ignored, "Leave out what has this code: CC512");
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return lint_profiles(*options); }, trouble};
}

}  // namespace callcensus::cli
