// callcensus trace: run a command, record it, write its profile.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "base/procfs.hpp"
#include "base/salvage.hpp"
#include "base/signals.hpp"
#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "callcensus/known_calls.hpp"
#include "callcensus/recorder.hpp"
#include "cli/ending.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/profiles.hpp"
#include "cli/subcommand.hpp"
#include "cli/trace_observer.hpp"
#include "cli/trace_options.hpp"
#include "record/recording_heading.hpp"
#include "report/summary.hpp"

namespace callcensus::cli {
namespace {

void save_elsewhere(const Recording& recording, const std::string& output) {
    const std::string saved = salvage(write_recording(recording), output);
    if (!saved.empty()) {
        say("the recording is safe in " + saved + "; when there is room: callcensus derive " + saved);
        return;
    }
    say("the recording could not be saved anywhere either; what was observed:");
    std::string names;
    for (const CallRecord& record : recording.calls) names += " " + name_or_number(record.call);
    say(names);
}

Result<void> check_outputs(const TraceOptions& options) {
    if (auto possible = check_replaceable(options.output); !possible) return possible;
    if (auto possible = options.policy.check_output(options.output); !possible) return possible;
    if (is_standard_output(options.recording))
        return fail("the recording needs a file: standard output is for the profile", "--recording");
    if (!options.recording.empty()) {
        if (is_regular_or_new(options.output) && are_same_file(options.recording, options.output))
            return fail("names the same file as -o", "--recording " + options.recording);
        if (auto possible = check_replaceable(options.recording); !possible) return possible;
    }
    return {};
}

Result<SyscallSet> read_known(const std::vector<std::string>& paths) {
    SyscallSet known;
    for (const std::string& path : paths) {
        const auto readable = read_input(path);
        if (!readable) return tl::unexpected(readable.error());
        known = known | std::visit([](const auto& file) { return known_calls(file); }, *readable);
    }
    return known;
}

// What the recording of processes that ran before lacks.
void add_gaps_of_attaching(Recording& recording) {
    recording.gaps.insert(recording.gaps.begin(),
                          "attached to running processes: what they called before is not recorded");
}

Result<int> trace(const TraceOptions& options, const std::vector<std::string>& command) {
    const auto target = options.target.target(command, "callcensus trace -- ls -l");
    if (!target) return tl::unexpected(target.error());
    const auto* attached = std::get_if<Attach>(&*target);
    if (const std::string advice = options.target.advice(command); !advice.empty() && !options.quiet)
        say(advice);
    const auto derive_options = options.policy.resolve();
    if (!derive_options) return tl::unexpected(derive_options.error());
    const auto known = read_known(options.known);
    if (!known) return tl::unexpected(known.error());
    if (auto possible = check_outputs(options); !possible) return tl::unexpected(possible.error());
    // What the format cannot say of the part of the profile that is known beforehand; a command may run long.
    if (const auto possible =
            options.format.write(derive({}, *derive_options).profile, "", options.output, this_machine());
        !possible)
        return tl::unexpected(possible.error());

    TraceObserver observer(options, *target);
    Plan plan;
    options.target.put_on(plan);
    plan.tick = observer.tick_interval();
    plan.every_call = options.count;
    plan.suspend_filters = options.suspend_seccomp;
    plan.by_executable = options.policy.by_executable();
    plan.known = *known;
    // Whoever says what is known wants to run fast from the start.
    plan.patience = options.patience.value_or(known->empty() ? 1 : 0);
    const auto choice = options.target.choose_engine(*target, plan);
    if (!choice) return tl::unexpected(choice.error());
    observer.runs_under(choice->recorder->id(), *known);
    const auto outcome = choice->recorder->run(*target, plan, observer);
    observer.finish();
    ignore_requests_to_end();
    if (!outcome) return tl::unexpected(outcome.error());
    if (!outcome->started) {
        if (outcome->exec_errno == 0 && outcome->status) return end_as(*outcome->status);
        return report_failed_exec(command.front(), *outcome);
    }

    Recording recording = observer.recording();
    if (recording.processes.empty()) {
        say("nothing is recorded: " + command.front() +
            " has started no container (as `run`, `exec` and podman's `start` do)");
        return outcome->status && !(*outcome->status == ExitStatus{}) ? end_as(*outcome->status) : failed;
    }
    if (attached != nullptr) add_gaps_of_attaching(recording);
    if (outcome->let_go != 0) recording.gaps.push_back(gap_of_let_go(outcome->let_go));
    std::vector<ProfileReport> profiles =
        derive_profiles({&recording, 1}, *derive_options, options.policy.split, options.output);
    // There is but one engine that can attach.
    Summary summary{recording,
                    profiles,
                    attached != nullptr ? std::string() : choice->why_not_another,
                    observer.survivors(),
                    outcome->let_go,
                    ""};
    bool written = true;
    const auto write = [&](const std::string& path, const std::string& content) {
        const auto done = replace_file(path, content);
        if (!done) say_error(done.error());
        written = written && done.has_value();
        return done.has_value();
    };
    if (!options.recording.empty() && write(options.recording, write_recording(recording)))
        summary.recording_path = output_name(options.recording);
    std::vector<Written> files;
    for (ProfileReport& report : profiles) {
        auto file = options.format.write(report.derivation.profile, "", report.path, this_machine());
        if (!file) say_error(file.error());
        report.written = file && write(report.path, file->content);
        written = written && report.written;
        if (file) files.push_back(std::move(*file));
        report.path = output_name(report.path);
    }
    if (!written && summary.recording_path.empty()) save_elsewhere(recording, options.output);

    if (options.json)
        say_to_program(summary_json(summary));
    else if (!options.quiet)
        for (const std::string& line : summary_lines(summary)) say(line);
    if (!options.quiet && !options.json)
        for (const std::string& loss : all_losses(files)) warn_of_loss(options.format, loss);
    if (!written) return failed;
    return outcome->status && attached == nullptr ? end_as(*outcome->status) : 0;
}

}  // namespace

Subcommand add_trace(Program& program) {
    const auto options = std::make_shared<TraceOptions>();
    CommandLine sub =
        program.add("trace", "Run a command, record its system calls, write a profile that allows them");
    sub.usage(
        "callcensus trace [OPTIONS] [--] COMMAND [ARG...]\n       callcensus trace [OPTIONS] -p PID[,PID...]");
    sub.footer(
        "The command behaves as if untraced: same input, output, terminal, environment and exit status "
        "(125 to\n"
        "127 as in env(1)). Every child and thread is followed until the last one has ended.\n\n"
        "Examples:\n"
        "  callcensus trace -- ls -l                    seccomp.json now allows what ls -l needs\n"
        "  callcensus trace --timeout 60s -- ./server   ask the server to end after a minute\n"
        "  callcensus trace --recording run1.json -o p.json -- ./tests\n"
        "  callcensus trace -p 1234                     what a running server calls, until Ctrl-C\n"
        "  callcensus trace --container -- podman run --rm alpine ls\n"
        "  docker run --security-opt seccomp=seccomp.json ...");
    const std::string output = "Output";
    sub.group(output);
    const Option named = sub.value("-o,--output", "FILE", options->output,
                                   "The profile (default: seccomp.json; - is standard output, at the end)");
    sub.value("--recording", "FILE", options->recording,
              "Also save everything that was recorded, for `callcensus derive`");
    sub.flag("-q,--quiet", options->quiet, "No summary and no status line");
    sub.flag("--json", options->json, "The summary as one line of JSON on standard error");

    options->format.add_to(sub, "--format", output);

    const std::string recording = "Recording";
    options->target.add_to(sub, recording);
    sub.group(recording);
    sub.flag("--suspend-seccomp", options->suspend_seccomp,
             "Switch off the seccomp filters of the target while it is recorded (as root)");
    sub.flag("--count", options->count, "Count every call and every result (slow: the ptrace engine)");
    sub.value("--known", "FILE", options->known,
              "Run at full speed from the start what this profile or recording already holds");
    sub.number("--patience", "FACTOR", options->patience, 0.0, 1e9,
               "Watch a process so much longer (2) or shorter (0.5; 0: not at all, slow "
               "without --known)");
    options->policy.add_selection_to(sub);
    options->policy.add_to(sub);
    return {sub, TargetBegins::after_options, [options, named](const std::vector<std::string>& target) {
                if (!named.given()) options->output = options->format.default_output();
                return trace(*options, target);
            }};
}

}  // namespace callcensus::cli
