// callcensus trace: run a command, record it, write its profile.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>

#include "base/file.hpp"
#include "base/procfs.hpp"
#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "callcensus/known_calls.hpp"
#include "callcensus/recorder.hpp"
#include "cli/container_command.hpp"
#include "cli/format_options.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/profiles.hpp"
#include "cli/recording_heading.hpp"
#include "cli/salvage.hpp"
#include "cli/subcommand.hpp"
#include "cli/trace_observer.hpp"
#include "cli/trace_options.hpp"
#include "report/summary.hpp"

namespace callcensus::cli {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// Ends as the target did, so that a shell and make see no difference.
int end_as(const ExitStatus& status) {
    if (status.signal == 0) return status.code;
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);  // a core_pattern with a pipe disregards the limit
    ::signal(status.signal, SIG_DFL);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, status.signal);
    ::kill(::getpid(), status.signal);  // raise(3) refuses the two signals that glibc keeps for itself
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    return 128 + status.signal;  // as an init process we are immune
}

int report_failed_exec(const std::string& command, const Outcome& outcome) {
    const int reason = outcome.exec_errno;
    if (reason == ENOENT && outcome.path.empty()) {
        say(command + (command.find('/') == std::string::npos ? ": command not found" : ": no such file"));
        return not_found;
    }
    if (reason == ENOENT) {
        say(command +
            ": cannot be executed: its interpreter (after #!) or its dynamic loader does not exist");
        return not_found;
    }
    const std::string why = reason == EISDIR    ? "it is a directory"
                            : reason == ENOEXEC ? "it is neither a program for this machine nor a script"
                                                : std::strerror(reason);
    say(command + ": cannot be executed: " + why);
    return cannot_execute;
}

void save_elsewhere(const Recording& recording, const std::string& output) {
    const std::string saved = salvage(recording, output);
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

Result<Choice> choose_engine(const std::string& name, const Target& target, const Plan& plan) {
    if (name == automatic) return choose_recorder(target, plan);
    const Recorder* recorder = find_recorder(name);
    if (auto possible = recorder->check(target, plan); !possible)
        return fail(possible.error().message, "--engine " + name);
    return Choice{recorder, {}};
}

Result<SyscallSet> read_known(const std::vector<std::string>& paths) {
    SyscallSet known;
    for (const std::string& path : paths) {
        const auto text = read_file(path, largest_recording);
        if (!text) return tl::unexpected(text.error());
        const auto readable = parse_any(*text, path);
        if (!readable) return tl::unexpected(readable.error());
        known = known | std::visit([](const auto& file) { return known_calls(file); }, *readable);
    }
    return known;
}

// What to record, from the options and the command; and what a user of containers should know beforehand.
Result<Target> choose_target(const TraceOptions& options, const std::vector<std::string>& command) {
    if (!options.processes.empty()) {
        if (!command.empty()) return fail("takes no command: it records processes that run already", "-p");
        return Attach{options.processes};
    }
    if (command.empty()) return fail("there is no command to run, as in: callcensus trace -- ls -l");
    const ContainerCommand containers = container_command(command);
    if (options.container && containers == ContainerCommand::asks_a_daemon)
        return fail(
            "only asks a daemon to start the container, which cannot be followed from here: "
            "`callcensus runtime` records it (docs/containers.md)",
            command.front());
    if (!options.container && !options.quiet && containers == ContainerCommand::starts_it)
        say("this records " + command.front() +
            " and all that it starts; --container records only what happens inside the container");
    if (!options.quiet && containers == ContainerCommand::asks_a_daemon)
        say("this records only " + command.front() +
            ", which asks a daemon to start the container: `callcensus runtime` records containers "
            "(docs/containers.md)");
    return Launch{command, options.container};
}

// What the recording of processes that ran before lacks.
void add_gaps_of_attaching(Recording& recording) {
    recording.gaps.insert(recording.gaps.begin(),
                          "attached to running processes: what they called before is not recorded");
}

int trace(const TraceOptions& options, const std::vector<std::string>& command) {
    const auto target = choose_target(options, command);
    if (!target) return complain(target.error());
    const bool attaches = std::holds_alternative<Attach>(*target);
    const auto derive_options = options.policy.resolve();
    if (!derive_options) return complain(derive_options.error());
    const auto known = read_known(options.known);
    if (!known) return complain(known.error());
    if (auto possible = check_outputs(options); !possible) return complain(possible.error());
    // What the format cannot say of the part of the profile that is known beforehand; a command may run long.
    if (const auto possible =
            options.format.write(derive({}, *derive_options).profile, "", options.output, this_machine());
        !possible)
        return complain(possible.error());

    TraceObserver observer(options, attaches ? procfs::command_line(options.processes.front()) : command);
    Plan plan;
    plan.until_exit = options.until_exit;
    if (options.timeout) plan.timeout = milliseconds(*options.timeout);
    if (options.kill_after) plan.kill_after = milliseconds(*options.kill_after);
    plan.tick = observer.tick_interval();
    plan.every_call = options.count;
    plan.keep_privileges = options.keep_privileges;
    plan.suspend_filters = options.suspend_seccomp;
    plan.by_executable = options.policy.by_executable();
    plan.known = *known;
    // Whoever says what is known wants to run fast from the start.
    plan.patience = options.patience.value_or(known->empty() ? 1 : 0);
    const auto choice = choose_engine(options.engine, *target, plan);
    if (!choice) return complain(choice.error());
    observer.runs_under(choice->recorder->id(), *known);
    const auto outcome = choice->recorder->run(*target, plan, observer);
    observer.finish();
    // What was recorded is to be written whoever wants us to end by now (a supervisor that repeats SIGTERM),
    // and a reader that has gone away is an error to report.
    for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) ::signal(number, SIG_IGN);
    if (!outcome) return complain(outcome.error());
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
    if (attaches) add_gaps_of_attaching(recording);
    if (outcome->let_go != 0) recording.gaps.push_back(gap_of_let_go(outcome->let_go));
    std::vector<ProfileReport> profiles =
        derive_profiles({&recording, 1}, *derive_options, options.policy.split, options.output);
    // There is but one engine that can attach.
    Summary summary{
        recording,       profiles, attaches ? std::string() : choice->why_not_another, observer.survivors(),
        outcome->let_go, ""};
    bool written = true;
    const auto write = [&](const std::string& path, const std::string& content) {
        const auto done = replace_file(path, content);
        if (!done) complain(done.error());
        written = written && done.has_value();
        return done.has_value();
    };
    if (!options.recording.empty() && write(options.recording, write_recording(recording)))
        summary.recording_path = output_name(options.recording);
    std::vector<Written> files;
    for (ProfileReport& report : profiles) {
        auto file = options.format.write(report.derivation.profile, "", report.path, this_machine());
        if (!file) complain(file.error());
        report.written = file && write(report.path, file->content);
        written = written && report.written;
        if (file) files.push_back(std::move(*file));
        report.path = output_name(report.path);
    }
    if (!written && summary.recording_path.empty()) save_elsewhere(recording, options.output);

    if (options.json)
        say_plain(summary_json(summary));
    else if (!options.quiet)
        for (const std::string& line : summary_lines(summary)) say(line);
    if (!options.quiet && !options.json)
        for (const std::string& loss : all_losses(files)) warn_of_loss(options.format, loss);
    if (!written) return failed;
    return outcome->status && !attaches ? end_as(*outcome->status) : 0;
}

// "1234,1235", and what pgrep(1) and podman top print: one on each line. Each once.
Result<std::vector<pid_t>> read_process_ids(const std::vector<std::string>& words) {
    std::vector<pid_t> pids;
    for (const std::string& word : words)
        for (std::size_t at = 0; at <= word.size();) {
            const std::size_t end = std::min(word.find_first_of(", \t\n", at), word.size());
            const std::string text = word.substr(at, end - at);
            at = end + 1;
            if (text.empty()) continue;
            pid_t pid = 0;
            const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
            if (error != std::errc() || last != text.data() + text.size() || pid <= 0)
                return fail("\"" + text + "\" is no process id: expected numbers, as in -p 1234,1235", "-p");
            if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
        }
    if (pids.empty()) return fail("names no process, as in -p 1234,1235", "-p");
    return pids;
}

}  // namespace

Subcommand add_trace(CLI::App& app) {
    const auto options = std::make_shared<TraceOptions>();
    CLI::App* sub = app.add_subcommand(
        "trace", "Run a command, record its system calls, write a profile that allows them");
    sub->formatter(std::make_shared<HelpWithUsage>(
        "callcensus trace [OPTIONS] [--] COMMAND [ARG...]\n       callcensus trace [OPTIONS] -p PID[,PID...]"));
    sub->footer(
        "The command runs as it would without us: same input, output, terminal, environment and exit status "
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
    const CLI::Option* named =
        sub->add_option("-o,--output", options->output,
                        "The profile (default: seccomp.json; - is standard output, at the end)")
            ->option_text("FILE")
            ->group(output);
    sub->add_option("--recording", options->recording,
                    "Also save everything that was recorded, for `callcensus derive`")
        ->option_text("FILE")
        ->group(output);
    sub->add_flag("-q,--quiet", options->quiet, "No summary and no status line")->group(output);
    sub->add_flag("--json", options->json, "The summary as one line of JSON on standard error")
        ->group(output);

    options->format.add_to(*sub, "--format", output);

    const std::string recording = "Recording";
    std::vector<std::string> engines{options->engine};
    for (const Recorder* recorder : recorders()) engines.emplace_back(recorder->id());
    sub->add_option(
           "--engine", options->engine,
           "adaptive: stop at new calls; ptrace: at every call; auto (default): adaptive where possible")
        ->option_text("NAME")
        ->check(CLI::IsMember(engines))
        ->group(recording);
    const CLI::Option* attached =
        sub->add_option("-p,--attach", options->attach,
                        "Record processes that run already, with all their threads, until they end or Ctrl-C")
            ->option_text("PID[,PID...]")
            ->allow_extra_args(false)
            ->group(recording);
    sub->add_flag("--container", options->container,
                  "Record what happens inside the containers that podman, runc or crun start (as root)")
        ->excludes(const_cast<CLI::Option*>(attached))
        ->group(recording);
    sub->add_flag("--suspend-seccomp", options->suspend_seccomp,
                  "Switch off the seccomp filters of the target while it is recorded (as root)")
        ->group(recording);
    const auto duration = [] {
        return CLI::AsNumberWithUnit(
            std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}},
            CLI::AsNumberWithUnit::CASE_SENSITIVE, "DURATION");
    };
    const CLI::Range up_to_a_year(0.001, 31'536'000.0);
    sub->add_option(
           "--timeout", options->timeout,
           "Send SIGTERM (with -p: let go) after that time: 500ms, 10s, 5m, 1h (a bare number: seconds)")
        ->transform(duration())
        ->check(up_to_a_year)
        ->option_text("DURATION")
        ->group(recording);
    sub->add_option("--kill-after", options->kill_after, "And SIGKILL that much later (default: 10s)")
        ->transform(duration())
        ->check(up_to_a_year)
        ->option_text("DURATION")
        ->needs("--timeout")
        ->group(recording);
    sub->add_flag("--count", options->count, "Count every call and every result (slow: the ptrace engine)")
        ->group(recording);
    sub->add_flag("--keep-privileges", options->keep_privileges,
                  "Never set no_new_privs; unprivileged processes stay slow")
        ->group(recording);
    sub->add_option("--known", options->known,
                    "Run at full speed from the start what this profile or recording already holds")
        ->option_text("FILE")
        ->allow_extra_args(false)
        ->group(recording);
    sub->add_option(
           "--patience", options->patience,
           "Watch a process so much longer (2) or shorter (0.5; 0: not at all) before it runs freely")
        ->option_text("FACTOR")
        ->check(CLI::Range(0.0, 1e9))
        ->group(recording);
    sub->add_flag("--until-exit", options->until_exit,
                  "Stop following when the command itself has ended; what it left running goes on")
        ->excludes(const_cast<CLI::Option*>(attached))
        ->group(recording);
    options->policy.add_selection_to(*sub);
    options->policy.add_to(*sub);
    return {sub, true, [options, named, attached](const std::vector<std::string>& target) {
                if (named->count() == 0) options->output = options->format.default_output();
                if (attached->count() != 0) {
                    auto pids = read_process_ids(options->attach);
                    if (!pids) return complain(pids.error());
                    options->processes = std::move(*pids);
                }
                return trace(*options, target);
            }};
}

}  // namespace callcensus::cli
