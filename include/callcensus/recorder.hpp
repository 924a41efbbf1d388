/// Recorders run a target and report what it does as events. Each engine is one row of the table behind
/// recorders(); all of them honour the same contract (tests/contract).
///
///     struct Printer : callcensus::Sink {
///         Verdict on(const Event& event) override { …; return Verdict::go_on; }
///     } printer;
///     const callcensus::Recorder* recorder = callcensus::find_recorder("ptrace");
///     auto outcome = recorder->run(callcensus::Launch{{"ls", "-l"}}, callcensus::Plan{}, printer);
///
/// Limits: one run at a time in a process, from a single-threaded process (or at least from a thread whose
/// process has no other children that somebody waits for): a run waits for every child of the calling process
/// and installs handlers for terminal and termination signals while it lasts, which it restores at its end.
#pragma once

#include <linux/filter.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/event.hpp"
#include "callcensus/result.hpp"
#include "callcensus/syscall_set.hpp"

namespace callcensus {

/// A seccomp filter that a program is to run under: seccomp(2).
struct LoadedFilter {
    std::vector<sock_filter> code;
    std::uint32_t flags = 0;  ///< SECCOMP_FILTER_FLAG_*
};

/// Start a program and record it from its execve on. `argv[0]` is looked up as a shell does.
struct Launch {
    std::vector<std::string> argv;
    /// Record only what happens inside the containers that it starts (or enters, as `podman exec` does): see
    /// Container for where that begins. Everything else is followed, and not reported.
    bool in_containers = false;
    /// Loaded right before the execve, which then is the first call that passes it; with no_new_privs only
    /// where the kernel demands that. Whatever the execve comes to, it is reported.
    std::optional<LoadedFilter> filter = std::nullopt;
};

/// Follow processes that run already, with all their threads and whatever these start from now on. The
/// processes go on when the run ends, as they were: a request to end (SIGINT, SIGTERM, SIGHUP, Plan::timeout)
/// lets them go. A task that does not stop to be let go within three seconds (it waits for its vfork child,
/// or for a disk) is still a tracee when the run returns: the kernel releases it when the calling thread
/// ends.
struct Attach {
    std::vector<pid_t> processes;
};

/// Follow the first process of a container that a runtime has created and not started yet: where an OCI hook
/// of the stages prestart and createRuntime finds it (State.pid). Recording begins inside the container's
/// root directory: on a thread that loads a seccomp filter there, with what it calls from then on, else with
/// the execve of the command; from the execve on, everything. Its end is reported (TaskExited) before the
/// runtime can hear of it: what the sink does then is done before `podman run` returns.
struct Container {
    pid_t init = 0;
};

using Target = std::variant<Launch, Attach, Container>;

/// What to do besides following everything to its end.
struct Plan {
    bool until_exit = false;                           ///< let everything go when the first process has ended
    std::optional<std::chrono::milliseconds> timeout;  ///< then TERM to the target …
    std::chrono::milliseconds kill_after{10'000};      ///< … and, this long after, KILL to everything
    std::optional<std::chrono::milliseconds> tick;     ///< how often the sink wants a Tick

    bool every_call = false;       ///< report each call and each result: nothing is released
    bool by_executable = false;    ///< the set of each executable is to be exact, not only that of the tree
    bool keep_privileges = false;  ///< never set no_new_privs
    /// Switch off the target's own seccomp filters while it is recorded (PTRACE_O_SUSPEND_SECCOMP, Linux 4.3;
    /// takes CAP_SYS_ADMIN in the first user namespace).
    bool suspend_filters = false;
    SyscallSet known;  ///< calls that need not be reported at all, as if they had been seen before
    std::map<Syscall, ArgumentSet> known_if;  ///< the same of calls with these arguments
    /// No other calls ever go unreported because they are known: each time one is made it is reported.
    std::optional<SyscallSet> learn_only;
    double patience = 1;  ///< how long to watch before letting run, relative to the default; 0: at once
};

enum class Verdict {
    go_on,
    let_go,  ///< stop following: every task is released and goes on without us. Where an engine has let
             ///< processes run that depend on it (adaptive), they are asked to end instead
};

/// Receives the events of a run, in order, on the thread that called run().
struct Sink {
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    virtual Verdict on(const Event& event) = 0;
};

/// How a run ended.
struct Outcome {
    bool started = false;    ///< the execve has succeeded, or the processes are followed; otherwise there is
                             ///< nothing to derive from
    int exec_errno = 0;      ///< why it has not, 0 where the task died before it came to that
    int filter_errno = 0;    ///< why the filter of a Launch could not be loaded
    int interrupted_by = 0;  ///< a signal to end that has come to us while it ran, or one that we have passed
                             ///< on and that by default ends a program; the last one
    std::string path;        ///< what argv[0] was resolved to
    std::optional<ExitStatus> status;  ///< of the first process; empty where it was let go alive
    std::size_t let_go = 0;            ///< tasks that were released alive
};

class Recorder {
  public:
    Recorder() = default;
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;
    virtual ~Recorder() = default;

    [[nodiscard]] virtual std::string_view id() const = 0;
    /// Can this engine record that target as planned? The error says what stands in the way. What only trying
    /// can tell (whether ptrace is permitted) is an error of run(), before the target has executed anything.
    [[nodiscard]] virtual Result<void> check(const Target& target, const Plan& plan) const = 0;
    /// Runs the target to its end. Errors are our own failures; a target that fails is an Outcome.
    virtual Result<Outcome> run(const Target& target, const Plan& plan, Sink& sink) const = 0;
};

/// Every engine, the preferred one first.
[[nodiscard]] std::span<const Recorder* const> recorders();
/// The engine with that id, or null.
[[nodiscard]] const Recorder* find_recorder(std::string_view id);

/// The first engine that can give what is asked for, and why those before it cannot.
struct Choice {
    const Recorder* recorder = nullptr;
    std::string why_not_another;  ///< empty where the first one was taken
};
[[nodiscard]] Result<Choice> choose_recorder(const Target& target, const Plan& plan);
/// The engine with that id, if it can give what is asked for; for any_recorder as above.
constexpr std::string_view any_recorder = "auto";
[[nodiscard]] Result<Choice> choose_recorder(std::string_view id, const Target& target, const Plan& plan);

}  // namespace callcensus
