// callcensus verify: run a program under a profile, or as if, and tell what is denied.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "callcensus/verify_findings.hpp"
#include "callcensus/verify_report.hpp"
#include "cli/choices.hpp"
#include "cli/ending.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/subcommand.hpp"
#include "cli/target_options.hpp"
#include "trial/watch.hpp"

namespace callcensus::cli {
namespace {

enum class Mode : std::uint8_t { audit, enforce };

struct VerifyOptions {
    std::string profile;
    std::vector<std::string> recordings;
    TargetOptions target;
    Mode mode = Mode::audit;
    RuntimeSet runtime = RuntimeSet::none;
    bool no_new_privileges = false;
    bool stacks = false;
    bool unused = false;
    std::string fix;
    ReportFormat format = ReportFormat::text;
    std::string output;
    int exit_code = 1;
    bool quiet = false;
    MachineOptions machine;

    [[nodiscard]] bool enforces() const { return mode == Mode::enforce; }
};

// The profile, and as it works where it is used.
struct Policy {
    ProfileFile file;
    Machine machine;
    PolicyInForce in_force;
};

Result<Policy> read_policy(const VerifyOptions& options) {
    auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    auto file = read_profile_file(options.profile, native_abi_of(*machine).value());
    if (!file) return tl::unexpected(file.error());
    auto in_force = put_in_force(file->profile, *machine);
    if (!in_force) return fail(in_force.error().message, file->name, in_force.error().errnum);
    return Policy{std::move(*file), std::move(*machine), std::move(*in_force)};
}

// What came of the program, or of the recordings.
struct Seen {
    Observed observed;
    std::string subject;
    Outcome outcome;
};

Result<Seen> read_recordings(const VerifyOptions& options, const PolicyInForce& policy) {
    std::string subject;
    std::vector<Recording> all;
    for (const std::string& path : options.recordings) {
        const auto input = read_input(path);
        if (!input) return tl::unexpected(input.error());
        const auto* recordings = std::get_if<std::vector<Recording>>(&*input);
        if (recordings == nullptr)
            return fail("is a profile, and a recording is wanted here (a command goes after --)",
                        input_name(path));
        subject += (subject.empty() ? "" : ", ") + input_name(path);
        all.insert(all.end(), recordings->begin(), recordings->end());
    }
    return Seen{observed_in(all, policy), std::move(subject), {}};
}

// What is to be run or followed, if it can be: asked before anything is reported.
Result<Target> target_for(const VerifyOptions& options, const Policy& policy,
                          const std::vector<std::string>& command) {
    auto target = options.target.target(command, "callcensus verify seccomp.json -- ls -l");
    if (!target) return tl::unexpected(target.error());
    if (native_abi_of(policy.machine) != native_abi())
        return fail("is not this machine's architecture: only a recording can be verified for it",
                    "--arch " + options.machine.arch);
    auto* launch = std::get_if<Launch>(&*target);
    if (options.enforces()) {
        if (launch == nullptr)
            return fail("loads the profile into a command: running processes can only be audited",
                        "--mode enforce");
        if (launch->in_containers)
            return fail("is the container engine's own business: podman run --security-opt seccomp=FILE",
                        "--mode enforce --container");
        enforce(*launch, policy.in_force);
    }
    return target;
}

std::string subject_of(const Target& target) { return fmt::format("{}", fmt::join(command_of(target), " ")); }

Result<Seen> run(const VerifyOptions& options, const Policy& policy, const Target& target) {
    Plan plan;
    options.target.put_on(plan);
    report_what_is_denied(plan, policy.in_force, options.unused);
    const auto choice = options.target.choose_engine(target, plan);
    if (!choice) return tl::unexpected(choice.error());
    VerifyObserver::Wishes wishes;
    wishes.stacks = options.stacks;
    wishes.usage = options.unused;
    if (options.enforces() && !options.quiet) wishes.tell = say;
    if (!options.quiet) wishes.following = [&target] { say_whom_we_follow(target); };
    std::string subject = subject_of(target);  // while it is there
    auto watched =
        watch(*choice->recorder, target, plan, policy.in_force, std::move(wishes), policy.file.name);
    if (!watched) return tl::unexpected(watched.error());
    return Seen{std::move(watched->observed), std::move(subject), std::move(watched->outcome)};
}

// Without `starts` nothing is run, though it could be.
Result<Seen> observe(const VerifyOptions& options, const Policy& policy,
                     const std::vector<std::string>& command, bool starts) {
    if (!options.recordings.empty()) return read_recordings(options, policy.in_force);
    const auto target = target_for(options, policy, command);
    if (!target) return tl::unexpected(target.error());
    if (starts) return run(options, policy, *target);
    return Seen{{}, subject_of(*target), {}};
}

Result<void> write_fixed(const VerifyOptions& options, const Policy& policy,
                         const std::vector<VerifyFinding>& findings) {
    const auto fixed = allowing(findings, policy.file.profile, policy.machine);
    if (!fixed) return fail(fixed.error().message, policy.file.name, fixed.error().errnum);
    FormatOptions format;
    format.format = policy.file.format;
    const auto written = format.write(*fixed, "", options.fix, policy.machine);
    if (!written) return tl::unexpected(written.error());
    return replace_file(options.fix, written->content);
}

std::string text_of(const VerifyReport& report, ReportFormat format) {
    if (format == ReportFormat::json) return verify_json(report);
    if (format == ReportFormat::junit) return verify_junit(report);
    if (format == ReportFormat::sarif) return verify_sarif(report);
    return verify_text(report);
}

Result<void> write_report(const VerifyOptions& options, const VerifyReport& report) {
    // Of processes that run already a part is all that can be seen.
    const bool saw_what_it_could = report.gaps.empty() || options.target.attaches();
    const bool says_nothing = report.findings.empty() && saw_what_it_could && !report.unused;
    if (options.quiet && options.output.empty() && says_nothing) return {};
    const std::string text = text_of(report, options.format);
    if (!options.output.empty()) {
        auto written = replace_file(options.output, text);
        // What was found is not to be lost with a full disk.
        if (!written) static_cast<void>(write_all(STDERR_FILENO, verify_text(report), "standard error"));
        return written;
    }
    // A command's standard output is its own.
    const bool runs = report.mode != VerifyMode::recording;
    return write_all(runs ? STDERR_FILENO : STDOUT_FILENO, text, runs ? "standard error" : "standard output");
}

Result<void> check(const VerifyOptions& options, const std::vector<std::string>& command) {
    if (!options.recordings.empty() && (!command.empty() || options.target.attaches()))
        return fail("is verified by itself: leave out the command, or -p", options.recordings.front());
    if (!options.recordings.empty() && options.enforces())
        return fail("needs a command: a recording can only be looked at", "--mode enforce");
    if (options.enforces() && options.unused)
        return fail("is for an audit: a program that is denied calls does not use what it would", "--unused");
    for (const std::string& output : {options.fix, options.output})
        if (!output.empty())
            if (auto possible = check_replaceable(output); !possible) return possible;
    if (!options.fix.empty() && is_regular_or_new(options.output) &&
        are_same_file(options.fix, options.output))
        return fail("names the same file as -o", "--fix " + options.fix);
    // A profile may be mended where it is; a report is not meant to take its place.
    std::vector<std::string> inputs = options.recordings;
    inputs.push_back(options.profile);
    for (const std::string& input : inputs)
        if (!options.output.empty() && is_regular_or_new(options.output) &&
            are_same_file(input, options.output))
            return fail("is what is to be verified: the report needs another file", "-o " + options.output);
    return {};
}

int end_of(const VerifyOptions& options, const VerifyReport& report, const Outcome& outcome,
           const std::vector<std::string>& command) {
    if (!command.empty() && !outcome.started &&
        (!outcome.status || outcome.exec_errno != 0 || outcome.path.empty()))
        return report_failed_exec(command.front(), outcome);
    if (!options.enforces() && denials_in(report) != 0) return options.exit_code;
    return outcome.status && !command.empty() ? end_as(*outcome.status) : 0;
}

Result<int> verify(const VerifyOptions& options, const std::vector<std::string>& command) {
    if (const auto possible = check(options, command); !possible) return tl::unexpected(possible.error());
    const auto policy = read_policy(options);
    if (!policy) return tl::unexpected(policy.error());
    if (!options.quiet)
        for (const std::string& loss : policy->in_force.losses) say("warning: the filter leaves out " + loss);

    std::vector<Found> found;
    for (Denial& denial :
         denials_of(options.runtime, options.no_new_privileges, policy->in_force, policy->machine))
        found.push_back({std::move(denial), {}});
    const bool starts = !options.enforces() || std::none_of(found.begin(), found.end(), [](const Found& one) {
        return is_denial(one.denial);
    });
    const std::string who_cannot = starts ? "" : found.front().denial.runtime;
    auto seen = observe(options, *policy, command, starts);
    if (!seen) return tl::unexpected(seen.error());
    auto& [observed, subject, outcome] = *seen;
    if (starts && !command.empty() && !outcome.started && observed.found.empty())
        return outcome.exec_errno == 0 && outcome.status ? end_as(*outcome.status)
                                                         : report_failed_exec(command.front(), outcome);
    found.insert(found.end(), std::make_move_iterator(observed.found.begin()),
                 std::make_move_iterator(observed.found.end()));

    VerifyReport report{policy->file.name,
                        policy->file.profile,
                        policy->file.places(),
                        !options.recordings.empty() ? VerifyMode::recording
                        : options.enforces()        ? VerifyMode::enforce
                                                    : VerifyMode::audit,
                        subject,
                        {},
                        {},
                        observed.rest.duration,
                        observed.rest.processes.size(),
                        outcome.status,
                        observed.rest.gaps,
                        observed.rest.notes};
    auto findings = findings_of(std::move(found), policy->file.profile, policy->machine, policy->in_force);
    if (!findings) return tl::unexpected(findings.error());
    report.findings = std::move(*findings);
    if (options.unused) report.unused = unused(policy->file.profile, policy->machine, observed.used);

    bool written = true;
    const auto check_written = [&](const Result<void>& done) {
        if (!done) say_error(done.error());
        written = written && done.has_value();
    };
    check_written(write_report(options, report));
    if (!options.fix.empty()) check_written(write_fixed(options, *policy, report.findings));
    if (!written) return failed;
    if (!starts) {
        say(who_cannot + " may not be able to start " + command.front() + " under " + policy->file.name);
        return cannot_execute;
    }
    return end_of(options, report, outcome, command);
}

}  // namespace

Subcommand add_verify(Program& program) {
    const auto options = std::make_shared<VerifyOptions>();
    CommandLine sub = program.add("verify", "Tell what a profile would deny a program, and who calls it");
    sub.usage(
        "callcensus verify [OPTIONS] PROFILE -- COMMAND [ARG...]\n"
        "       callcensus verify [OPTIONS] PROFILE -p PID[,PID...]\n"
        "       callcensus verify [OPTIONS] PROFILE RECORDING...");
    sub.footer(
        "In audit mode the command runs unhindered, and all that would be denied is listed at its end. Exit\n"
        "status: the command's own, but 1 where something would be denied; 125 to 127 as in trace.\n\n"
        "Examples:\n"
        "  callcensus verify seccomp.json -- ./server --port 8080\n"
        "  callcensus verify --fix better.json seccomp.json -- ./tests\n"
        "  callcensus verify --mode enforce --as runc seccomp.json -- ./server\n"
        "  callcensus verify seccomp.json run1.json run2.json       nothing is run");
    sub.value("PROFILE", "FILE", options->profile, "In any format that can be read; - is standard input")
        .required();
    sub.value("RECORDING", "FILE...", options->recordings,
              "In place of a command: what `trace --recording` saved");
    const std::string how = "How";
    sub.group(how);
    sub.choice("--mode", "MODE", options->mode, {{"audit", Mode::audit}, {"enforce", Mode::enforce}},
               "audit (default): deny nothing, list everything; enforce: load the profile, slow");
    sub.choice("--as", "NAME", options->runtime, runtime_choices(),
               "Also what that container runtime calls before the command: runc, crun, any, none (default)");
    sub.flag("--no-new-privileges", options->no_new_privileges,
             "With --as: for a container with no_new_privileges, whose runtime needs less");
    options->target.add_to(sub, how);
    const std::string output = "Output";
    sub.group(output);
    sub.flag("--stacks", options->stacks, "The call stack of each finding's first call");
    sub.flag("--unused", options->unused, "Also what the profile allows and this run has not used");
    sub.value("--fix", "FILE", options->fix,
              "Write the profile with the smallest changes that allow the findings");
    sub.choice("--format", "FORMAT", options->format,
               {{"text", ReportFormat::text},
                {"json", ReportFormat::json},
                {"junit", ReportFormat::junit},
                {"sarif", ReportFormat::sarif}},
               "Of the report: text (default), json, junit, sarif");
    sub.value("-o,--output", "FILE", options->output,
              "The report (default: standard error; of a recording standard output)");
    sub.number("--exit-code", "N", options->exit_code, 0, 255,
               "The status where an audit has found something (default: 1)");
    sub.flag("-q,--quiet", options->quiet, "No report where nothing is denied");
    options->machine.add_to(sub);
    return {sub, TargetBegins::after_separator,
            [options](const std::vector<std::string>& command) { return verify(*options, command); }};
}

}  // namespace callcensus::cli
