// callcensus hook: run by a container runtime just before it starts a container, at the stages prestart and
// createRuntime of the OCI runtime specification. Where an annotation of the container asks for it, a process
// of ours stays behind, records the container to its end and writes its profile.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>

#include "abi/known_call.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"
#include "base/unique_fd.hpp"
#include "callcensus/attribution.hpp"
#include "callcensus/recorder.hpp"
#include "callcensus/recording_builder.hpp"
#include "cli/ending.hpp"
#include "cli/recording_heading.hpp"
#include "cli/salvage.hpp"
#include "cli/subcommand.hpp"
#include "container/hook_files.hpp"
#include "container/hook_install.hpp"
#include "container/hook_request.hpp"
#include "container/hook_trust.hpp"
#include "format/runtime_spec.hpp"

namespace callcensus::cli {
namespace {

constexpr std::size_t largest_state = std::size_t{16} << 20;
constexpr int hook_failed = 1;
// Should the recorder be killed outright, what was seen by then is on disk.
constexpr std::chrono::seconds snapshot_interval{10};
// How long the end of a container is held up where somebody else has its files locked; a snapshot holds up
// none.
constexpr std::chrono::milliseconds longest_wait{5000}, no_wait{0};
// What the recorder says through the pipe when it follows the container; anything else is why it cannot.
constexpr char ready = '\0';
constexpr int pipe_of_recorder = STDERR_FILENO + 1;

void log(int priority, const std::string& line) {
    ::syslog(LOG_DAEMON | priority, "%s", printable(line).c_str());
}

/// On standard error, which runc shows, and in the system's log: crun shows only the status.
int give_up(const Error& error) {
    log(LOG_ERR, error.text());
    return complain(error, hook_failed);
}

// ---- what to do ----

struct Job {
    HookRequest request;
    pid_t init = 0;
    std::string container;
    std::vector<std::string> command;
    const Recorder* recorder = nullptr;
    Plan plan;
    std::vector<std::string> notes;
};

Result<void> choose_engine(Job& job, bool has_filter) {
    using Engine = HookRequest::Engine;
    const Recorder* const ptrace = find_recorder("ptrace");
    const Recorder* const adaptive = find_recorder("adaptive");
    const Container target{job.init};
    job.plan.keep_privileges = job.request.keep_privileges;
    job.plan.tick = snapshot_interval;
    switch (job.request.engine) {
        case Engine::automatic:
            job.recorder = adaptive;
            if (has_filter) {
                // Where both have something to say about a call the kernel takes the stricter: what the
                // container's own filter denies would never reach our trace.
                job.recorder = ptrace;
                job.notes.emplace_back(
                    "the container has a seccomp filter of its own, so the ptrace engine records it: "
                    "unconfined (--security-opt seccomp=unconfined) a recording sees more, and runs faster");
            } else if (const auto possible = adaptive->check(target, job.plan); !possible) {
                job.recorder = ptrace;
                job.notes.push_back("the ptrace engine records, not adaptive: " + possible.error().message);
            }
            break;
        case Engine::adaptive:
            job.recorder = adaptive;
            break;
        case Engine::suspend:
            job.plan.suspend_filters = true;
            job.recorder = ptrace;
            break;
        case Engine::ptrace:
            job.recorder = ptrace;
            break;
    }
    return job.recorder->check(target, job.plan);
}

Result<ContainerConfig> read_config(const std::string& bundle) {
    const std::string path = bundle + "/config.json";
    const auto text = read_file(path, largest_state);
    if (!text) return tl::unexpected(text.error());
    return parse_container_config(*text, path);
}

// What whoever has registered the hook says.
struct Registered {
    Trust trust = Trust::caller;
    std::string directory{default_directory};
};

// Empty where nothing is to be recorded.
Result<std::optional<Job>> read_job(const Registered& registered) {
    const auto text = read_file("-", largest_state);
    if (!text) return tl::unexpected(text.error());
    const auto state = parse_container_state(*text, "the container's state");
    if (!state) return tl::unexpected(state.error());
    if (state->annotations && !asks_for_recording(*state->annotations)) return std::nullopt;
    // A filter that we cannot know of is taken to be there.
    ContainerConfig config;
    config.has_filter = true;
    if (!state->bundle.empty()) {
        auto read = read_config(state->bundle);
        if (!read) return tl::unexpected(read.error());
        config = std::move(*read);
    }
    const Annotations& annotations = state->annotations ? *state->annotations : config.annotations;
    const Asker asker = asker_of(registered.trust, annotations, {false, annotations_of_image(state->bundle)});
    const auto request = read_request(annotations, {asker, registered.directory});
    if (!request) return tl::unexpected(request.error());
    if (!*request) return std::nullopt;
    if (state->pid <= 0)
        return fail(fmt::format("pid must be greater than 0, not {}: the hook belongs to the stages prestart "
                                "and createRuntime",
                                state->pid),
                    "the container's state");
    Job job;
    job.request = **request;
    job.init = state->pid;
    job.container = state->id;
    job.command = config.command;
    if (auto chosen = choose_engine(job, config.has_filter); !chosen) return tl::unexpected(chosen.error());
    return job;
}

// ---- the recorder ----

class ContainerObserver final : public Sink {
  public:
    ContainerObserver(const Job& job, HookFiles& files, UniqueFd pipe)
        : job_(job), files_(files), pipe_(std::move(pipe)), builder_([this] { return elapsed(); }) {
        heading_.engine = job.recorder->id();
        heading_.command = job.command;
    }

    Verdict on(const Event& event) override {
        attribution_.on(event);
        builder_.on(event);
        if (const auto* seen = std::get_if<SyscallSeen>(&event); seen && builder_.wants_site(seen->call))
            if (const auto site = attribution_.new_site_of(*seen)) builder_.add_site(seen->call, *site);
        if (const auto* noted = std::get_if<Noted>(&event))
            log(LOG_INFO, of_container(noted->what));
        else if (const auto* lost = std::get_if<Lost>(&event))
            log(LOG_ERR, of_container(lost->what));
        else if (std::holds_alternative<Following>(event))
            tell_runtime(std::string_view(&ready, 1));
        else if (executes_the_command(event))
            executed_ = true;
        else if (const auto* exited = std::get_if<TaskExited>(&event); exited && is_end_of_init(exited->task))
            // At once: the runtime and its callers hear of this end only when we are done.
            write({}, longest_wait);
        else if (std::holds_alternative<Tick>(event) && executed_ && builder_.last_news() > last_tried_)
            write({"a snapshot taken while the container ran: callcensus did not live to write the whole"},
                  no_wait);
        return Verdict::go_on;
    }

    /// The run is over.
    void finish(const Result<Outcome>& outcome) {
        if (!outcome && pipe_) return tell_runtime(outcome.error().text());
        std::vector<std::string> gaps;
        if (!outcome)
            gaps.push_back(outcome.error().text());
        else if (outcome->let_go != 0)
            gaps.push_back(gap_of_let_go(outcome->let_go));
        for (const std::string& gap : gaps) log(LOG_ERR, of_container(gap));
        if (!executed_)
            log(LOG_ERR, of_container("its command was never executed: there is nothing to write"));
        else if (!is_written_ || had_survivors_ || !gaps.empty())
            write(gaps, longest_wait);
        if (executed_ && !is_written_) save_elsewhere(gaps);
    }

  private:
    [[nodiscard]] Milliseconds elapsed() const { return std::chrono::steady_clock::now() - started_; }
    [[nodiscard]] std::string of_container(const std::string& line) const {
        return "container " + job_.container + ": " + line;
    }

    void tell_runtime(std::string_view what) {
        // Where nobody listens any more the container is not going to start either.
        static_cast<void>(write_all(pipe_.get(), what, "the pipe to the hook"));
        pipe_.reset();
    }

    // The execve may be the first thing that is recorded, and may fail.
    [[nodiscard]] bool executes_the_command(const Event& event) const {
        static const KnownCall execve_call("execve"), execveat_call("execveat");
        if (const auto* execed = std::get_if<Execed>(&event)) return execed->task.tid == job_.init;
        const auto* returned = std::get_if<SyscallReturned>(&event);
        return returned != nullptr && returned->task.tid == job_.init && !returned->is_error &&
               (execve_call.is(returned->call) || execveat_call.is(returned->call));
    }

    // Before the execve the thread that has the number of its process may end and another one execute.
    [[nodiscard]] bool is_end_of_init(TaskId task) const { return executed_ && task.tid == job_.init; }

    [[nodiscard]] Recording recording(const std::vector<std::string>& gaps) const {
        Recording recording = builder_.snapshot();
        heading_.put_on(recording);
        recording.notes.insert(recording.notes.end(), job_.notes.begin(), job_.notes.end());
        recording.gaps.insert(recording.gaps.end(), gaps.begin(), gaps.end());
        return recording;
    }

    void write(const std::vector<std::string>& gaps, std::chrono::milliseconds wait) {
        const std::vector<Error> errors = files_.write(recording(gaps), wait);
        for (const Error& error : errors) log(LOG_ERR, of_container(error.text()));
        for (const std::string& note : files_.notes()) log(LOG_WARNING, of_container(note));
        for (const std::string& loss : files_.losses())
            log(LOG_WARNING, of_container("the format of " + job_.request.output + " lacks " + loss));
        last_tried_ = elapsed();
        is_written_ = errors.empty();
        had_survivors_ = builder_.live_processes() != 0;
    }

    void save_elsewhere(const std::vector<std::string>& gaps) const {
        const Limits& limits = job_.request.limits;
        const std::string saved = salvage(
            recording(gaps), limits.asker == Asker::owner ? job_.request.output : limits.directory + "/x");
        log(LOG_ERR, of_container(saved.empty() ? "the recording could not be saved anywhere"
                                                : "the recording is safe in " + saved));
    }

    const Job& job_;
    HookFiles& files_;
    UniqueFd pipe_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    RecordingHeading heading_;
    RecordingBuilder builder_;
    Attribution attribution_;
    bool executed_ = false;
    bool is_written_ = false;  // what had been seen by the last time
    std::optional<Milliseconds> last_tried_;
    bool had_survivors_ = false;
};

// Nothing of ours may keep the runtime waiting: runc reads the standard output and error of its hooks until
// everybody has closed them, and what else it left open is none of our business. The pipe becomes
// descriptor 3.
void go_to_background(const UniqueFd& pipe) {
    ::setsid();
    const int kept = ::fcntl(pipe.get(), F_DUPFD, pipe_of_recorder + 1);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, standard);
    ::dup2(kept, pipe_of_recorder);
    ::closelog();  // whose descriptor goes with the others
    ::closefrom(pipe_of_recorder + 1);
    // The directory may be the container's bundle, which is to be removed when it ends.
    static_cast<void>(::chdir("/"));
    // Files of mode 0644 at most, whatever mask the runtime has set.
    ::umask(::umask(0) | 022);
    for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void record(const Job& job, HookFiles& files, UniqueFd pipe) {
    for (const std::string& note : job.notes) log(LOG_INFO, "container " + job.container + ": " + note);
    ContainerObserver observer(job, files, std::move(pipe));
    const auto outcome = job.recorder->run(Container{job.init}, job.plan, observer);
    ignore_requests_to_end();
    observer.finish(outcome);
}

// ---- the hook ----

// Returns when the recorder follows the container, or has told why it cannot.
int wait_for_recorder(const UniqueFd& pipe) {
    std::string told;
    char letter = 0;
    for (;;) {
        const ssize_t size = ::read(pipe.get(), &letter, 1);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        if (letter == ready && told.empty()) return 0;
        told += letter;
    }
    return give_up({told.empty() ? "the recorder ended before it could follow the container" : told, "", 0});
}

int run_hook(const Registered& registered) {
    ::openlog("callcensus", LOG_PID, LOG_DAEMON);
    if (::isatty(STDIN_FILENO) == 1)
        return complain({"reads a container's state from a runtime; --install registers the hook with podman",
                         "standard input", 0},
                        hook_failed);
    const auto job = read_job(registered);
    if (!job) return give_up(job.error());
    if (!*job) return 0;
    auto files = HookFiles::prepare((*job)->request);
    if (!files) return give_up(files.error());

    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return give_up({"no pipe can be made", "", errno});
    const UniqueFd ours(ends[0]);
    UniqueFd of_recorder(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return give_up({"no process can be made to record the container", "", errno});
    if (child == 0) {
        go_to_background(of_recorder);
        record(**job, *files, UniqueFd(pipe_of_recorder));
        ::_exit(
            0);  // the descriptors that the hook's own objects would close are closed, or another's by now
    }
    of_recorder.reset();
    return wait_for_recorder(ours);
}

struct HookOptions {
    bool install = false;
    bool uninstall = false;
    std::string hooks_directory;
    std::string stage = "prestart";
    std::string trust = "caller";
    Registered registered;
    std::vector<std::string> limits;  // as they are on the command line
};

int hook(const HookOptions& options, bool names_directory) {
    if (!options.install && !options.uninstall && !names_directory) {
        Registered registered = options.registered;
        const auto trust = read_trust(options.trust);
        if (!trust) return give_up({trust.error().message, "--trust", 0});
        registered.trust = *trust;
        return run_hook(registered);
    }
    if (names_directory && options.hooks_directory.empty())
        return complain({"names no directory", "--dir", 0}, hook_failed);
    const std::string directory = names_directory ? options.hooks_directory : default_hooks_directory();
    if (options.install) return install_hook(directory, options.stage, options.limits);
    if (options.uninstall) return uninstall_hook(directory);
    return complain({"needs --install or --uninstall", "--dir " + options.hooks_directory, 0}, hook_failed);
}

}  // namespace

Subcommand add_hook(CLI::App& app) {
    const auto options = std::make_shared<HookOptions>();
    CLI::App* sub = app.add_subcommand(
        "hook", "Record containers from an OCI hook: for podman, in place of oci-seccomp-bpf-hook");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus hook [--install | --uninstall] [OPTIONS]"));
    sub->footer(
        "A runtime calls it without options, with the container's state on standard input. Containers are\n"
        "recorded whose annotations ask for it:\n"
        "  io.containers.trace-syscall=of:/FILE            write the profile there, or extend the one that is\n"
        "  io.containers.trace-syscall=of:/FILE;if:/BASE   and keep the rules of BASE\n"
        "  io.callcensus.options=KEY:VALUE;...             engine:auto|ptrace|adaptive|suspend\n"
        "      format:oci|docker|spo|minijail   runtime:any|runc|crun|none   recording:/FILE\n"
        "      existing:merge|replace   privileges:keep\n"
        "A pod or an image that asks gets new files below --directory only, and no engine:suspend or existing:.\n"
        "--install registers --trust and --directory with the hook.\n"
        "The profile is complete when `podman run` returns. What goes wrong later is in the system's log.\n\n"
        "Example:\n"
        "  callcensus hook --install\n"
        "  podman run --annotation io.containers.trace-syscall=of:/var/lib/callcensus/ls.json \\\n"
        "      --security-opt seccomp=unconfined IMAGE ls /\n"
        "  podman run --security-opt seccomp=/var/lib/callcensus/ls.json IMAGE ls /");
    CLI::Option* install = sub->add_flag("--install", options->install, "Register the hook");
    sub->add_flag("--uninstall", options->uninstall, "Remove what --install has registered")
        ->excludes(install);
    const CLI::Option* directory =
        sub->add_option("--dir", options->hooks_directory,
                        "The directory of hooks (default: " + default_hooks_directory() + ")")
            ->option_text("DIR");
    sub->add_option("--stage", options->stage,
                    "When the hook is to run: prestart (default, known to every runtime) or createRuntime")
        ->option_text("STAGE")
        ->check(CLI::IsMember({"prestart", "createRuntime"}))
        ->needs(install);
    const CLI::Option* trust =
        sub->add_option("--trust", options->trust,
                        "Whose annotations have no limits: caller (default; no pod and no image), nobody, "
                        "annotations (everybody's)")
            ->option_text("WHOM")
            ->check(CLI::IsMember({"nobody", "caller", "annotations", "everybody"}));
    const CLI::Option* of_strangers =
        sub->add_option(
               "--directory", options->registered.directory,
               "Where the new files of pods and images are (default: " + std::string(default_directory) + ")")
            ->option_text("DIR")
            ->check([](const std::string& path) {
                return path.rfind('/', 0) == 0 ? std::string() : "is no absolute path: " + path;
            });
    return {
        sub, TargetBegins::never,
        [options, directory, trust, of_strangers](const std::vector<std::string>&) {
            if (trust->count() != 0)
                options->limits.insert(options->limits.end(), {"--trust", options->trust});
            if (of_strangers->count() != 0)
                options->limits.insert(options->limits.end(), {"--directory", options->registered.directory});
            return hook(*options, directory->count() != 0);
        },
        hook_failed};
}

}  // namespace callcensus::cli
