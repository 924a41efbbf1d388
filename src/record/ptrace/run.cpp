#include "record/ptrace/run.hpp"

#include <sys/ptrace.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/procfs.hpp"
#include "record/ptrace/interruption.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

constexpr std::chrono::microseconds creators_delay{300};

// Of one call in a row. Signals that are ignored come in bursts, when many children end.
constexpr std::uint32_t max_beginnings = 16;

bool announces_child(int event) {
    return event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE;
}

bool stops_or_continues(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU ||
           signal == SIGCONT;
}

}  // namespace

Run::Run(const Target& target, const Plan& plan, Sink& sink, Mode mode)
    : target_(target),
      plan_(plan),
      sink_(sink),
      learner_(mode == Mode::adaptive ? std::optional<Learner>(std::in_place, plan.known, plan.by_executable,
                                                               plan.patience, plan.learn_only)
                                      : std::nullopt),
      ending_(terms()),
      own_root_(procfs::root_directory(self_)),
      own_mount_namespace_(procfs::mount_namespace(self_)) {}

// ---- the loop ----

Result<Outcome> Run::to_the_end() {
    if (auto possible = signals_.can_wake(); !possible) return tl::unexpected(possible.error());
    const auto begun = std::visit([this](const auto& target) { return start(target); }, target_);
    if (!begun) let_everything_go();  // what had been seized by then
    bool at_the_end = tasks_.empty();
    while (!at_the_end && !ending_.has_left()) {
        if (SignalRelay::woken()) take_signals();
        auto report = statuses_.next(tasks_.size() > 1);
        const bool nobody_is_left = !report && report.error() == NoStatus::no_child;
        if (report) act(std::move(*report));
        at_the_end = nobody_is_left || (tasks_.empty() && everything_has_ended());
    }
    statuses_.abandon();
    for (auto& [tid, task] : tasks_) drop_parked(task);
    if (!begun) return tl::unexpected(begun.error());
    tell_of_stops();
    if (ending_.has_left()) outcome_.let_go += tasks_.size();
    return outcome_;
}

// An empty table is not yet the end: a creator that was killed before it could report its child leaves a task
// that we do not know of. It is a tracee from its creation on, so that the kernel knows: where nobody has a
// status to come, nobody is left. But where we have children that we did not start (we are an init process,
// or our shell had exec'd us over its background jobs) only the list of processes tells.
bool Run::everything_has_ended() {
    const auto why_empty = statuses_.why_empty();
    if (why_empty != NoStatus::none_yet) return why_empty == NoStatus::no_child;
    const std::vector<pid_t> all = procfs::processes();
    return std::none_of(all.begin(), all.end(), [&](pid_t process) {
        const auto task = procfs::task_status(process);
        return task && task->tracer == self_;
    });
}

void Run::act(Report report) {
    auto& stopped = report.stopped;
    Task* task = find(report.tid);
    if (task == nullptr && stopped) task = newcomer(report.tid);
    if (task == nullptr) {
        if (stopped) std::move(*stopped).abandon();
        return;
    }
    drop_parked(*task);
    if (stopped && task->untraced_to_restore) {
        restore_untraced(*stopped, *task->untraced_to_restore);
        task->untraced_to_restore.reset();
    }
    if (stopped && task->arriving) arrived(*stopped, *task);
    std::visit(
        [&](const auto& what) {
            if constexpr (std::is_same_v<decltype(what), const Ended&>)
                on(what, *task);
            else
                on(what, std::move(*stopped), *task);
        },
        report.stop);
    if (main_stopped_by_ != 0) consider_stopping_with_the_target();
}

// A child's first stop may come before its creator's event. Anything else unknown is not ours: a child that
// the process had before it became us, an orphan that an init process has to reap, a thread that died in
// somebody's exec.
Run::Task* Run::newcomer(pid_t tid) {
    hear_its_creator_first(tid);
    Task* task = find(tid);
    return task != nullptr ? task : adopt(tid);
}

// A child and its creator stop at the same time, on two processors. Only the creator's event tells for
// certain who created it, and it is some microseconds away at most, unless there is none: the creator has
// been killed, or the child was made with CLONE_PTRACE.
void Run::hear_its_creator_first(pid_t child) {
    const auto announces_it = [&](const Report& report) {
        const auto* event = std::get_if<EventStop>(&report.stop);
        return event != nullptr && announces_child(event->event) &&
               report.stopped->event_message() == static_cast<unsigned long>(child);
    };
    auto creators = statuses_.find(announces_it, std::chrono::steady_clock::now() + creators_delay);
    if (creators) act(std::move(*creators));
}

void Run::emit(const Event& event) {
    if (sink_.on(event) == Verdict::let_go) let_everything_go();
}

void Run::tell_of_stops() {
    if (std::exchange(stops_told_, true)) return;
    for (std::string& note : stops_.notes()) emit(Noted{std::move(note)});
}

// ---- one status ----

void Run::resume(StoppedTask stopped, Task& task, int signal) {
    if (is_to_be_killed(task)) kill_process(stopped.tid());
    // A filter that arrives in the middle of our injection may deny it the rest of its calls, or kill for
    // them.
    if (task.loads_filter && task.process->release.is_injecting()) {
        task.parked = std::move(stopped);
        return;
    }
    if (!ending_.is_letting_go()) {
        const Release& release = task.process->release;
        task.surely_filtered = release.is_released();
        if (learner_) task.resumed = std::chrono::steady_clock::now();
        const bool runs = task.outside || (release.runs_freely() && !task.current && !task.injection);
        std::move(stopped).resume(runs ? StoppedTask::Until::next_event : StoppedTask::Until::next_call,
                                  signal);
        return;
    }
    const auto hidden = hidden_untraced_.find(stopped.tid());
    if (hidden != hidden_untraced_.end()) restore_untraced(stopped, hidden->second);
    const pid_t tid = stopped.tid();
    if (!std::move(stopped).detach(signal)) return;  // it has died: its status follows
    ++outcome_.let_go;
    if (tid == main_) main_let_go_ = true;
    forget(tid);
}

void Run::on(const Ended& ended, Task& task) {
    const TaskId id = task.id;
    const bool recorded = task.recorded;
    forget(id.tid, ended.status.signal == 0);
    if (id.tid == main_) outcome_.status = ended.status;
    if (id.tid == main_) main_stopped_by_ = 0;  // and we need not stop with it
    // The recording of a container is written at that end.
    if (id.tid == main_ && std::holds_alternative<Container>(target_)) tell_of_stops();
    if (recorded) emit(TaskExited{id, ended.status});
    if (id.tid == main_) statuses_.reap();
    if (id.tid != main_) return;
    if (const auto step = ending_.first_process_ended()) carry_out(*step);
}

void Run::on(const SyscallStop&, StoppedTask stopped, Task& task) {
    placement_.served(task.id.tid);
    if (ending_.is_letting_go()) {
        // Left to itself here it would make its call with our interruption pending, and fail. This stop has
        // taken the place of the one that answers the interruption (ptrace_stop() in kernel/signal.c).
        stopped.interrupt();
        std::move(stopped).resume(StoppedTask::Until::next_event);
        return;
    }
    if (const auto info = stopped.syscall_info()) {
        if (task.injection) {
            if (info->op == PTRACE_SYSCALL_INFO_EXIT) go_on_injecting(stopped, task);
        } else if (info->op == PTRACE_SYSCALL_INFO_ENTRY) {
            entered(stopped, task, *info);
        } else if (info->op == PTRACE_SYSCALL_INFO_EXIT) {
            returned(stopped, task, info->exit.rval, info->exit.is_error != 0);
            if (learner_) consider_release(stopped, task);
            // Here it cannot be undone yet: the stop that follows comes with the kernel's own restarting.
            if (info->exit.rval == -EINTR && !task.injection && task.begun_again < max_beginnings)
                stopped.interrupt();
            else
                task.begun_again = 0;
        }
    }
    resume(std::move(stopped), task);
}

void Run::on(const EventStop& stop, StoppedTask stopped, Task& task) {
    switch (stop.event) {
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
            if (const auto child = stopped.event_message()) created(task, static_cast<pid_t>(*child));
            break;
        case PTRACE_EVENT_EXEC:
            execed(stopped, task);
            break;
        case PTRACE_EVENT_SECCOMP:
            placement_.served(task.id.tid);
            if (!task.injection) trapped(stopped, task);
            break;
        default:
            break;
    }
    resume(std::move(stopped), task);
}

void Run::on(const GroupStop& stop, StoppedTask stopped, Task& task) {
    task.group_stopped = true;
    if (std::holds_alternative<Launch>(target_) && task.process->pid == main_) main_stopped_by_ = stop.signal;
    if (ending_.is_letting_go())
        resume(std::move(stopped), task);  // stays stopped: the stop is the process's
    else
        std::move(stopped).listen();
}

void Run::on(const TrapStop&, StoppedTask stopped, Task& task) {
    const bool was_stopped = std::exchange(task.group_stopped, false);
    if (task.process->pid == main_) main_stopped_by_ = 0;
    if (!was_stopped) begin_call_again(stopped, task);  // a group-stop's EINTR comes without us too
    resume(std::move(stopped), task);
}

void Run::on(const SignalStop& stop, StoppedTask stopped, Task& task) {
    if (!task.injection && !stops_or_continues(stop.signal)) begin_call_again(stopped, task);
    resume(std::move(stopped), task, stop.signal);
}

// Not all EINTR is a tracer's doing: a filter can answer with it, or a driver, and would do so for ever.
void Run::begin_call_again(const StoppedTask& stopped, Task& task) {
    if (task.begun_again < max_beginnings && undo_interruption(stopped)) ++task.begun_again;
}

}  // namespace callcensus::ptrace
