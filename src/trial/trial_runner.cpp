#include "trial/trial_runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/redirected.hpp"
#include "base/signals.hpp"
#include "base/words.hpp"
#include "callcensus/process_tree.hpp"
#include "callcensus/verify.hpp"

namespace callcensus {
namespace {

using Clock = std::chrono::steady_clock;

// What the command calls, and which of it is denied; and kills what is left when its first process has ended.
class TrialSink final : public Sink {
  public:
    explicit TrialSink(const PolicyInForce& policy) : policy_(policy) {}

    Verdict on(const Event& event) override {
        tree_.on(event);
        if (const auto* seen = std::get_if<SyscallSeen>(&event))
            look_at(*seen);
        else if (const auto* started = std::get_if<TaskStarted>(&event))
            begin(*started);
        else if (const auto* exited = std::get_if<TaskExited>(&event))
            end(exited->task);
        return Verdict::go_on;
    }

    [[nodiscard]] Trial trial() const { return trial_; }

  private:
    void look_at(const SyscallSeen& seen) {
        const auto decision = policy_.decide(seen);
        const bool denied = decision && !lets_through(decision->action);
        for (const std::string& name : names_in_rules(seen.call, seen.arguments)) {
            trial_.made.insert(name);
            if (!denied) continue;
            std::erase(trial_.denied, name);
            trial_.denied.push_back(name);
        }
    }

    void begin(const TaskStarted& started) {
        if (over_) ::kill(started.process, SIGKILL);
    }

    void end(const TaskId& id) {
        const ProcessTree::Task* const task = tree_.find(id);
        if (task == nullptr || task->process->number != 0 || task->process->threads != 0) return;
        over_ = true;
        for (const ProcessTree::Process* process : tree_.live_processes()) ::kill(process->pid, SIGKILL);
    }

    const PolicyInForce& policy_;
    Trial trial_;
    ProcessTree tree_;
    bool over_ = false;  // the first process has ended
};

volatile std::sig_atomic_t requested = 0;

// Without a name, so that nothing is left behind whatever becomes of us; /proc has one for it.
Result<UniqueFd> nameless_file() {
    UniqueFd file = above_standard_streams(UniqueFd(::memfd_create("callcensus", MFD_CLOEXEC)));
    if (!file) return fail("no file for the command's output", {}, errno);
    return file;
}

Result<UniqueFd> null_device() {
    UniqueFd null = above_standard_streams(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!null) return fail("cannot be opened", "/dev/null", errno);
    return null;
}

std::string path_of(const UniqueFd& file) { return fmt::format("/proc/{}/fd/{}", ::getpid(), file.get()); }

void copy(const UniqueFd& file, int to) {
    std::array<char, 65536> buffer;
    off_t at = 0;
    for (;;) {
        const ssize_t size = ::pread(file.get(), buffer.data(), buffer.size(), at);
        if (size <= 0) return;
        at += size;
        for (ssize_t written = 0; written < size;) {
            const ssize_t more =
                ::write(to, buffer.data() + written, static_cast<std::size_t>(size - written));
            if (more < 0 && errno != EINTR) return;
            written += std::max<ssize_t>(more, 0);
        }
    }
}

// As system(3): what the terminal sends is for the program that we wait for.
class Ignored {
  public:
    Ignored() : interrupt_(::signal(SIGINT, SIG_IGN)), quit_(::signal(SIGQUIT, SIG_IGN)) {}
    Ignored(const Ignored&) = delete;
    Ignored& operator=(const Ignored&) = delete;
    ~Ignored() {
        ::signal(SIGINT, interrupt_);
        ::signal(SIGQUIT, quit_);
    }

  private:
    sighandler_t interrupt_;
    sighandler_t quit_;
};

Result<int> run_and_wait(const std::string& program, const std::vector<std::string>& variables) {
    std::vector<char*> environment;  // of two with one name the first counts
    for (const std::string& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
    for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
    environment.push_back(nullptr);
    std::array<char*, 2> arguments{const_cast<char*>(program.c_str()), nullptr};

    const Ignored while_it_runs;
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t to_default;
    ::sigemptyset(&to_default);
    ::sigaddset(&to_default, SIGINT);
    ::sigaddset(&to_default, SIGQUIT);
    ::posix_spawnattr_setsigdefault(&attributes, &to_default);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int errnum =
        ::posix_spawn(&child, program.c_str(), nullptr, &attributes, arguments.data(), environment.data());
    ::posix_spawnattr_destroy(&attributes);
    if (errnum != 0) return fail("cannot be executed", "--check " + program, errnum);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return fail("cannot be waited for", "--check " + program, errno);
    return status;
}

bool succeeded(const ExitStatus& status) { return status == ExitStatus{}; }

std::string ending(const Trial& trial, bool timed_out, const std::set<std::string>& without) {
    if (trial.succeeded) return "succeeded";
    std::vector<std::string> missed;
    std::copy_if(trial.denied.begin(), trial.denied.end(), std::back_inserter(missed),
                 [&](const std::string& name) { return without.count(name) != 0; });
    std::reverse(missed.begin(), missed.end());
    constexpr std::size_t shown = 5;
    return std::string(timed_out ? "took too long" : "failed") +
           (missed.empty() ? "" : ", denied " + listed(missed, shown));
}

}  // namespace

RequestToEnd::RequestToEnd() {
    requested = 0;
    struct sigaction note {};
    note.sa_handler = [](int number) { requested = number; };
    for (const int number : ending_signals()) {
        if (is_fault(number) || number == SIGPIPE || is_kept_by_libc(number)) continue;
        struct sigaction before {};
        if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
        if (::sigaction(number, &note, nullptr) == 0) before_.emplace_back(number, before);
    }
}

RequestToEnd::~RequestToEnd() {
    for (const auto& [number, action] : before_) ::sigaction(number, &action, nullptr);
}

int RequestToEnd::noted() { return requested; }

Result<TrialRunner::Output> TrialRunner::output() const {
    const auto make = options_.check.empty() ? null_device : nameless_file;
    auto out = make();
    if (!out) return tl::unexpected(out.error());
    auto err = make();
    if (!err) return tl::unexpected(err.error());
    return Output{std::move(*out), std::move(*err)};
}

Result<bool> TrialRunner::check(const ExitStatus& status, const Output& output) {
    if (options_.check.empty()) return succeeded(status);
    const int code = status.signal != 0 ? 128 + status.signal : status.code;
    const auto done = run_and_wait(options_.check, {fmt::format("CALLCENSUS_STATUS={}", code),
                                                    "CALLCENSUS_STDOUT=" + path_of(output.out),
                                                    "CALLCENSUS_STDERR=" + path_of(output.err)});
    if (!done) return tl::unexpected(done.error());
    if (WIFSIGNALED(*done) && (WTERMSIG(*done) == SIGINT || WTERMSIG(*done) == SIGQUIT))
        interrupted_by_ = WTERMSIG(*done);
    return WIFEXITED(*done) && WEXITSTATUS(*done) == 0;
}

void TrialRunner::show(const Output& output) const {
    copy(output.out, options_.to_stderr ? STDERR_FILENO : STDOUT_FILENO);
    copy(output.err, STDERR_FILENO);
}

Result<Trial> TrialRunner::run(const Profile& profile, const std::set<std::string>& without) {
    const bool first = ++runs_ == 1;
    const auto policy = put_in_force(profile, options_.machine);
    if (!policy) return tl::unexpected(policy.error());
    if (first && options_.tell)
        for (const std::string& loss : policy->losses)
            options_.tell("warning: the filter leaves out " + loss);
    Launch launch{options_.command};
    launch.filter = LoadedFilter{policy->filter, policy->filter_flags};
    Plan plan;
    plan.timeout = options_.timeout;
    const Recorder* recorder = find_recorder("ptrace");
    if (const auto possible = recorder->check(launch, plan); !possible)
        return tl::unexpected(possible.error());
    const auto input = null_device();
    if (!input) return tl::unexpected(input.error());
    const auto printed = output();
    if (!printed) return tl::unexpected(printed.error());
    const bool shown = first && options_.check.empty();

    TrialSink sink(*policy);
    const auto begin = Clock::now();
    Result<Outcome> outcome;
    {
        const auto streams = Redirected::to({input->get(),
                                             !shown               ? printed->out.get()
                                             : options_.to_stderr ? STDERR_FILENO
                                                                  : STDOUT_FILENO,
                                             shown ? STDERR_FILENO : printed->err.get()});
        if (!streams) return tl::unexpected(streams.error());
        outcome = recorder->run(launch, plan, sink);
    }
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->filter_errno != 0)
        return fail("the kernel does not take the profile's filter", {}, outcome->filter_errno);
    const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    const bool timed_out = plan.timeout && duration >= *plan.timeout;

    Trial trial = sink.trial();
    interrupted_by_ = outcome->interrupted_by != 0 ? outcome->interrupted_by : RequestToEnd::noted();
    const bool exec_denied = std::any_of(trial.denied.begin(), trial.denied.end(),
                                         [](const std::string& name) { return name == "execve"; });
    if (first && !outcome->started && !exec_denied && interrupted_by_ == 0) {
        failed_exec_ = *outcome;
        return fail("cannot be executed", options_.command.front());
    }
    if (first && !options_.check.empty()) show(*printed);
    if (outcome->started && outcome->status && !timed_out && interrupted_by_ == 0) {
        const auto good = check(*outcome->status, *printed);
        if (!good) return tl::unexpected(good.error());
        trial.succeeded = *good;
    }
    if (interrupted_by_ == 0) interrupted_by_ = RequestToEnd::noted();
    trial.interrupted = interrupted_by_ != 0;
    // A program that is slowed down by what it does in place of a denied call is not to be cut off.
    constexpr std::chrono::seconds at_least{10};
    if (!options_.timeout) options_.timeout = 10 * duration + at_least;
    if (options_.tell && !trial.interrupted)
        options_.tell(fmt::format("run {}: {}: {}", runs_,
                                  without.empty() ? std::string("all calls")
                                                  : fmt::format("without {} call{}", without.size(),
                                                                without.size() == 1 ? "" : "s"),
                                  ending(trial, timed_out, without)));
    return trial;
}

}  // namespace callcensus
