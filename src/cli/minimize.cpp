// callcensus minimize: the calls of a profile that a command needs, found by running it under smaller ones.
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/file.hpp"
#include "base/signals.hpp"
#include "callcensus/format.hpp"
#include "callcensus/minimize_report.hpp"
#include "cli/choices.hpp"
#include "cli/ending.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/subcommand.hpp"
#include "cli/target_options.hpp"
#include "trial/trial_runner.hpp"

namespace callcensus::cli {
namespace {

constexpr int not_complete = 1;

struct MinimizeCommandOptions {
    std::string profile;
    std::string output = "-";
    std::string check;
    bool format_given = false;
    std::optional<double> timeout;  // seconds
    std::vector<std::string> keep;
    MinimizeOptions search;
    bool no_exec = false;
    bool json = false;
    bool quiet = false;
    FormatOptions format;
    MachineOptions machine;
};

MinimizeOptions search_options(const MinimizeCommandOptions& options) {
    MinimizeOptions search = options.search;
    search.container_exec = !options.no_exec;
    search.keep.insert(options.keep.begin(), options.keep.end());
    return search;
}

Result<void> check_script(const std::string& path) {
    if (path.empty() || ::access(path.c_str(), X_OK) == 0) return {};
    return fail("cannot be executed", "--check " + path, errno);
}

Result<int> minimize_profile(const MinimizeCommandOptions& options, const std::vector<std::string>& command) {
    if (command.empty())
        return fail("there is no command to run, as in: callcensus minimize seccomp.json -- ls -l");
    const auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    if (native_abi_of(*machine) != native_abi())
        return fail("is not this machine's architecture: nothing can be run for it",
                    "--arch " + options.machine.arch);
    if (const auto possible = check_script(options.check); !possible) return tl::unexpected(possible.error());
    if (const auto possible = check_replaceable(options.output); !possible)
        return tl::unexpected(possible.error());
    const auto file = read_profile_file(options.profile);
    if (!file) return tl::unexpected(file.error());
    const auto& [name, own_format, profile, text] = *file;
    FormatOptions format = options.format;
    if (!options.format_given) format.format = own_format;
    // What the format cannot say shows before a long search.
    if (const auto possible = format.write(profile, name, options.output, *machine); !possible)
        return tl::unexpected(possible.error());

    TrialOptions trials;
    trials.command = command;
    trials.check = options.check;
    if (options.timeout) trials.timeout = milliseconds(*options.timeout);
    trials.to_stderr = is_standard_output(options.output);
    if (!options.quiet) trials.tell = say;
    trials.machine = *machine;
    TrialRunner runner(std::move(trials));
    const auto minimized = minimize(profile, *machine, search_options(options),
                                    [&](const Profile& candidate, const std::set<std::string>& without) {
                                        return runner.run(candidate, without);
                                    });
    if (runner.failed_exec()) return report_failed_exec(command.front(), *runner.failed_exec());
    if (!minimized) {
        Error error = minimized.error();
        if (error.where.empty()) error.where = name;
        return tl::unexpected(error);
    }
    ignore_requests_to_end();
    const auto written = format.write(minimized->profile, name, options.output, *machine);
    if (!written) return tl::unexpected(written.error());
    if (const auto done = replace_file(options.output, written->content); !done)
        return tl::unexpected(done.error());
    if (options.json)
        say_to_program(minimize_json(*minimized));
    else if (!options.quiet)
        for (const std::string& line : minimize_lines(*minimized)) say(line);
    if (!options.quiet)
        for (const std::string& loss : written->losses) warn_of_loss(format, loss);
    if (runner.interrupted_by() != 0) return end_as({0, runner.interrupted_by()});
    return minimized->end == Minimized::End::complete ? 0 : not_complete;
}

}  // namespace

Subcommand add_minimize(Program& program) {
    const auto options = std::make_shared<MinimizeCommandOptions>();
    CommandLine sub = program.add(
        "minimize", "Find the calls of a profile that a command needs, by running it under smaller ones");
    sub.usage("callcensus minimize [OPTIONS] PROFILE -- COMMAND [ARG...]");
    sub.footer(
        "The command is run about once for each call that it needs, with the profile really loaded. It must\n"
        "succeed, end by itself, read nothing from standard input (which is empty) and do no harm when it fails\n"
        "half-way, whatever of it is denied. What it prints is shown in the first run only; what it leaves running\n"
        "is killed. The smaller profile is written in PROFILE's format.\n"
        "Exit status: 0, 1 where the search ended early (the profile is written all the same), 125 to 127 as in\n"
        "trace.\n\n"
        "Examples:\n"
        "  callcensus minimize seccomp.json -o smaller.json -- ./server --self-test\n"
        "  callcensus minimize --check ./silent.sh seccomp.json -o smaller.json -- ls -l\n"
        "where silent.sh has: [ \"$CALLCENSUS_STATUS\" = 0 ] && [ ! -s \"$CALLCENSUS_STDERR\" ]");
    sub.value("PROFILE", "FILE", options->profile, "In any format that can be read; - is standard input")
        .required();
    const std::string output = "Output";
    sub.group(output);
    sub.value("-o,--output", "FILE", options->output, "The smaller profile (default: standard output)");
    const Option format = options->format.add_to(sub, "--format", output);
    sub.flag("--json", options->json, "The report as one line of JSON on standard error");
    sub.flag("-q,--quiet", options->quiet, "No report and nothing about single runs");
    const std::string runs = "Runs";
    sub.group(runs);
    sub.value("--check", "FILE", options->check,
              "A program that says by its status whether a run has succeeded (default: the command's "
              "status); it gets CALLCENSUS_STATUS, and in CALLCENSUS_STDOUT and CALLCENSUS_STDERR the "
              "names of files with what the command has printed");
    sub.duration(
        "--timeout", "DURATION", options->timeout,
        "A run that takes longer has failed: 500ms, 10s, 5m (default: 10 times the first one and 10s)");
    sub.number("--repeat", "N", options->search.repeat, 1, 1000,
               "For commands that do not always do the same: succeed so many times in a row (default: 1)");
    sub.number("--max-runs", "N", options->search.max_runs, 1, 1'000'000,
               "Then end with what has succeeded so far (default: 500)");
    const std::string kept = "What is kept without a trial";
    sub.group(kept);
    sub.choice("--as", "NAME", options->search.runtime, runtime_choices(),
               "What that container runtime needs: runc, crun, any (default), none");
    sub.flag("--no-exec", options->no_exec, "Not what only `podman exec` and `docker exec` need of it");
    sub.flag("--no-new-privileges", options->search.no_new_privileges,
             "Not what it needs only for a container without no_new_privileges");
    sub.list("--keep", "NAME,...", options->keep, "These calls");
    options->machine.add_to(sub);
    return {sub, TargetBegins::after_separator, [options, format](const std::vector<std::string>& command) {
                options->format_given = format.given();
                return minimize_profile(*options, command);
            }};
}

}  // namespace callcensus::cli
