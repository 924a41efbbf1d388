// callcensus lint: what is wrong with profiles.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "callcensus/lint.hpp"
#include "callcensus/lint_report.hpp"
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
    std::string format = "text";
    std::string severity = "warning";
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

int lint_profiles(const LintCommandOptions& options) {
    const auto lint_options = resolve(options);
    if (!lint_options) return complain(lint_options.error(), trouble);
    const Severity least = find_severity(options.severity).value_or(Severity::warning);
    std::vector<LintedFile> files;
    bool found = false;
    for (const std::string& path : options.profiles) {
        const auto profiles = read_profile_texts(path);
        if (!profiles) return complain(profiles.error(), trouble);
        LintedFile file{source_name(path), {}};
        for (const ProfileText& profile : *profiles) {
            if (is_recording(profile))
                return complain({"is a recording; `callcensus derive` makes a profile of it", file.name, 0},
                                trouble);
            auto findings = lint(profile, *lint_options);
            file.findings.insert(file.findings.end(), findings.begin(), findings.end());
        }
        found = found || std::any_of(file.findings.begin(), file.findings.end(),
                                     [&](const Finding& finding) { return finding.severity >= least; });
        files.push_back(std::move(file));
    }
    const std::string report = options.format == "json"    ? lint_json(files)
                               : options.format == "sarif" ? lint_sarif(files, lint_checks())
                                                           : lint_text(files);
    if (const auto written = write_all(STDOUT_FILENO, report, "standard output"); !written)
        return complain(written.error(), trouble);
    return found ? found_something : 0;
}

}  // namespace

Subcommand add_lint(CLI::App& app) {
    const auto options = std::make_shared<LintCommandOptions>();
    CLI::App* sub = app.add_subcommand("lint", "Find what runtimes refuse in profiles or read otherwise");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus lint [OPTIONS] PROFILE..."));
    sub->footer(
        "Exit status: 0 nothing found, 1 findings, 2 trouble. docs/lint.md explains every code.\n\n"
        "Example:\n"
        "  callcensus lint --for podman,crun profile.json");
    sub->add_option("PROFILE", options->profiles,
                    "In the format of docker, podman, the OCI or as a SeccompProfile; - is standard input")
        ->required()
        ->option_text("FILE");
    sub->add_option("--for", options->consumers,
                    "Who reads the profile: docker, podman, runc, crun, containerd (default: these), spo")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->option_text("NAME,...");
    sub->add_flag("--no-new-privileges", options->no_new_privileges,
                  "The containers have no_new_privs: runtimes then make fewer calls of their own");
    sub->add_option("--format", options->format, "text (default), json, sarif")
        ->check(CLI::IsMember({"text", "json", "sarif"}))
        ->option_text("NAME");
    sub->add_option("--severity", options->severity,
                    "The least one that makes the exit status 1: note, warning (default), error")
        ->check(CLI::IsMember({"note", "warning", "error"}))
        ->option_text("NAME");
    sub->add_option("--ignore", options->ignored, "Leave out what has this code: CC512")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->option_text("CODE,...");
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return lint_profiles(*options); }, trouble};
}

}  // namespace callcensus::cli
