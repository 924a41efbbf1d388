// How a run begins: what is launched or seized, and from where on it is recorded.
#include <sys/ptrace.h>

#include <vector>

#include "abi/known_call.hpp"
#include "base/procfs.hpp"
#include "record/command.hpp"
#include "record/ptrace/interruption.hpp"
#include "record/ptrace/launch.hpp"
#include "record/ptrace/run.hpp"
#include "record/ptrace/seize.hpp"

namespace callcensus::ptrace {
namespace {

bool has_filter(pid_t tid) {
    const auto status = procfs::task_status(tid);
    return status && status->seccomp != 0;
}

}  // namespace

long Run::options() const {
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC;
    // What we have launched dies with us, whatever happens to us. What was there before lives on, unless it
    // has our filter, which without a tracer has calls fail. So does an engine, which cleans up after its
    // container: begin_recording() sees to that.
    const auto* launch = std::get_if<Launch>(&target_);
    if (launch != nullptr ? !launch->in_containers : learner_.has_value()) options |= PTRACE_O_EXITKILL;
    // Set where it is not used yet: it is inherited, but cannot be set for a thread that runs.
    if (learner_) options |= PTRACE_O_TRACESECCOMP;
    if (plan_.suspend_filters) options |= PTRACE_O_SUSPEND_SECCOMP;
    return options;
}

Ending::Terms Run::terms() const {
    return {.timeout = plan_.timeout,
            .kill_after = plan_.kill_after,
            .tick = plan_.tick,
            .until_exit = plan_.until_exit,
            .ends_target = std::holds_alternative<Launch>(target_),
            .dies_with_us = (options() & PTRACE_O_EXITKILL) != 0};
}

Result<void> Run::start(const Launch& target) {
    const Command command = find_command(target.argv.front(), search_path());
    if (command.path.empty()) {
        outcome_.exec_errno = command.errnum;
        return {};
    }
    outcome_.path = command.path;
    const auto launched = launch(command.path, target, options(), signals_, statuses_);
    if (!launched) return tl::unexpected(launched.error());
    main_ = *launched;
    placement_.starts_with(main_);
    Process& process = processes_[main_];
    process.pid = main_;
    process.threads = 1;
    inherit(process, nullptr, true);
    Task& task = tasks_[main_];
    task.id = {main_, next_serial_++};
    task.process = &process;
    return {};
}

Result<void> Run::start(const Attach& target) {
    for (const pid_t pid : target.processes) {
        // A thread stands for its process.
        const auto status = procfs::task_status(pid);
        if (auto done = seize(status ? status->process : pid); !done) return done;
    }
    followed_from_here_on();
    return {};
}

Result<void> Run::start(const Container& target) {
    main_ = target.init;
    statuses_.keep_at_its_end(main_);
    if (auto done = seize(target.init); !done) return done;
    placement_.starts_with(main_);
    followed_from_here_on();
    return {};
}

Result<void> Run::seize(pid_t process) {
    if (processes_.count(process) != 0) return {};
    std::vector<pid_t> threads;
    auto done = seize_threads(process, options(), threads);
    for (const pid_t tid : threads) {
        if (plan_.suspend_filters && has_filter(tid)) emit(Noted{filters_switched_off});
        Task& task = begin(tid, process, nullptr, false);
        task.arriving = true;
        ++arriving_;
    }
    return done;
}

void Run::followed_from_here_on() {
    outcome_.started = true;
    begin_the_deadlines();
    if (arriving_ == 0) emit(Following{tasks_.size()});
}

void Run::begin_the_deadlines() {
    ending_.begins(std::chrono::steady_clock::now());
    set_the_alarm();
}

// What the child that is to become the target calls until its execve succeeds. Under a filter it is recorded
// from there on: the filter may deny the execve.
void Run::launches_by(Syscall call, std::int64_t value, bool is_error, bool has_loaded_filter,
                      const StoppedTask& stopped, Task& task) {
    static const KnownCall execve_call("execve"), seccomp_call("seccomp");
    const int errnum = is_error ? static_cast<int>(-value) : 0;
    if (task.recorded) emit(SyscallReturned{task.id, call, value, is_error});
    if (execve_call.is(call)) outcome_.exec_errno = errnum;
    if (seccomp_call.is(call)) outcome_.filter_errno = errnum;
    if (has_loaded_filter) begin_recording(stopped, task, outcome_.path);
}

// The first stop of a task that ran before, of whatever kind: any stop answers our interruption. The call
// that it was blocked in shows once more only where the kernel begins it again, and then mostly as
// restart_syscall.
void Run::arrived(const StoppedTask& stopped, Task& task) {
    const auto call = interrupted_call(stopped);
    if (task.recorded && call && !task.current) {
        const auto& [which, details] = *call;
        emit(SyscallSeen{task.id, which, details.arguments, details.instruction_pointer,
                         details.stack_pointer});
    }
    count_arrival(task);
}

void Run::count_arrival(Task& task) {
    task.arriving = false;
    if (--arriving_ == 0 && outcome_.started) emit(Following{tasks_.size()});
}

// ---- containers ----

bool Run::records_only_containers() const {
    const auto* launch = std::get_if<Launch>(&target_);
    return launch != nullptr ? launch->in_containers : std::holds_alternative<Container>(target_);
}

// A runtime enters the container's root directory (pivot_root(2), or setns(2) for `exec`) before it loads the
// filter and executes the command; what it executes for itself and for hooks it executes outside. Of the
// container whose first process is given, that process is inside whatever its root is.
bool Run::is_inside_container(const Task& task) const {
    return (std::holds_alternative<Container>(target_) && task.process->pid == main_) ||
           has_other_root(task.id.tid);
}

bool Run::has_other_root(pid_t tid) const {
    const auto root = procfs::root_directory(tid);
    return root && root != own_root_;
}

// Engines and runtimes are followed at full speed: only events stop them. A task in another mount namespace
// may be about to load a container's filter, and that is a call.
bool Run::is_outside_containers(const Task& task) const {
    return !task.recorded && std::holds_alternative<Launch>(target_) && records_only_containers() &&
           procfs::mount_namespace(task.id.tid) == own_mount_namespace_;
}

// Whether a task whose creator we do not know counts.
bool Run::records_strangers(pid_t tid) const { return !records_only_containers() || has_other_root(tid); }

void Run::begin_recording(const StoppedTask& stopped, Task& task, const std::string& executable) {
    if (learner_) stopped.set_options(options() | PTRACE_O_EXITKILL);
    task.recorded = true;
    task.outside = false;
    emit(TaskStarted{task.id, {}, task.process->pid, executable, scope_of(*task.process)});
}

}  // namespace callcensus::ptrace
