#include "record/ptrace/run.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "base/procfs.hpp"
#include "record/ptrace/interruption.hpp"

namespace callcensus::ptrace {
namespace {

// wait4(-1) always reports the first waiting task of a list, so that a few hot tasks at its head would starve
// the others. Every so many stops all that wait are collected first, and each is served once.
constexpr std::uint32_t collection_interval = 32;

constexpr std::chrono::microseconds creators_delay{300};

// Of one call in a row. Signals that are ignored come in bursts, when many children end.
constexpr std::uint32_t most_beginnings = 16;

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
      own_root_(procfs::root_directory(self_)),
      own_mount_namespace_(procfs::mount_namespace(self_)) {
    if (mode == Mode::adaptive)
        learner_.emplace(plan.known, plan.by_executable, plan.patience, plan.learn_only);
}

// ---- the loop ----

Result<Outcome> Run::to_the_end() {
    const auto begun = std::visit([this](const auto& target) { return start(target); }, target_);
    if (!begun) let_everything_go();  // what had been seized by then
    bool at_the_end = tasks_.empty();
    while (!at_the_end && !left_to_the_kernel_) {
        if (SignalRelay::woken()) take_signals();
        const auto waited = next_status();
        if (waited) act(*waited);
        at_the_end = waited ? tasks_.empty() && everything_has_ended() : errno == ECHILD;
    }
    if (!begun) return tl::unexpected(begun.error());
    tell_of_stops();
    if (left_to_the_kernel_) outcome_.let_go += tasks_.size();
    return outcome_;
}

// The next status that there is. Of the end of a container's first process we take note without reaping it:
// its parent, the runtime, hears of it only then (ptrace(2)), and by that time the sink has done its work.
std::optional<Run::Waited> Run::wait_for_any(int options) {
    int status = 0;
    if (!std::holds_alternative<Container>(target_)) {
        const pid_t tid = ::wait4(-1, &status, __WALL | options, nullptr);
        return tid > 0 ? std::optional(Waited{tid, status}) : std::nullopt;
    }
    siginfo_t next{};
    if (main_unreaped_ || ::waitid(P_ALL, 0, &next, WEXITED | WSTOPPED | WNOWAIT | __WALL | options) != 0 ||
        next.si_pid == 0)
        return std::nullopt;
    if (next.si_pid == main_ && next.si_code != CLD_TRAPPED && next.si_code != CLD_STOPPED) {
        main_unreaped_ = true;
        return Waited{main_,
                      next.si_code == CLD_EXITED ? (next.si_status & 0xff) << 8 : next.si_status & 0x7f};
    }
    // A stop, and nothing else: it may have been killed meanwhile, and wait4() would reap it.
    siginfo_t stopped{};
    if (next.si_pid == main_) {
        if (::waitid(P_PID, static_cast<id_t>(main_), &stopped, WSTOPPED | WNOHANG | __WALL) != 0 ||
            stopped.si_pid == 0)
            return wait_for_any(options);
        return Waited{main_, stopped.si_status << 8 | 0x7f};
    }
    const pid_t tid = ::wait4(next.si_pid, &status, __WALL | options, nullptr);
    return tid > 0 ? std::optional(Waited{tid, status}) : std::nullopt;
}

void Run::collect_all() {
    while (const auto waited = wait_for_any(WNOHANG)) collected_.push_back(*waited);
}

std::optional<Run::Waited> Run::next_status() {
    if (collected_.empty() && ++since_collection_ >= collection_interval && tasks_.size() > 1) {
        since_collection_ = 0;
        collect_all();
    }
    if (!collected_.empty()) {
        const Waited first = collected_.front();
        collected_.pop_front();
        return first;
    }
    return wait_for_any(0);  // none: EINTR is a signal or a deadline; ECHILD: nobody is left
}

// An empty table is not yet the end: a creator that was killed before it could report its child leaves a task
// that we do not know of. It is a tracee from its creation on, so that the kernel knows. ECHILD says that
// there is none; but where we have children that we did not start (we are an init process, or our shell had
// exec'd us over its background jobs) only the list of processes tells.
bool Run::everything_has_ended() {
    if (!collected_.empty()) return false;
    errno = 0;
    if (const auto waited = wait_for_any(WNOHANG)) {
        collected_.push_back(*waited);
        return false;
    }
    if (errno != 0) return errno == ECHILD;
    const std::vector<pid_t> all = procfs::processes();
    return std::none_of(all.begin(), all.end(), [&](pid_t process) {
        const auto task = procfs::task_status(process);
        return task && task->tracer == self_;
    });
}

void Run::act(Waited waited) {
    const Stop stop = decode(waited.status);
    Task* task = find(waited.tid);
    if (task == nullptr) {
        // A child's first stop may come before its creator's event. Anything else unknown is not ours: a
        // child that the process had before it became us, an orphan that an init process has to reap, a
        // thread that died in somebody's exec.
        if (std::holds_alternative<Ended>(stop)) return;
        hear_its_creator_first(waited.tid);
        task = find(waited.tid);
        if (task == nullptr) task = adopt(waited.tid);
        if (task == nullptr) return;
    }
    if (task->untraced_to_restore && !std::holds_alternative<Ended>(stop)) {
        restore_untraced(StoppedTask(waited.tid), *task->untraced_to_restore);
        task->untraced_to_restore.reset();
    }
    if (task->arriving && !std::holds_alternative<Ended>(stop)) arrived(StoppedTask(waited.tid), *task);
    std::visit([&](const auto& what) { on(what, *task); }, stop);
    if (main_stopped_by_ != 0) consider_stopping_with_the_target();
}

// A child and its creator stop at the same time, on two processors. Only the creator's event tells for
// certain who created it, and it is some microseconds away at most, unless there is none: the creator has
// been killed, or the child was made with CLONE_PTRACE.
void Run::hear_its_creator_first(pid_t child) {
    const auto announces_it = [&](const Waited& waited) {
        const Stop stop = decode(waited.status);
        const auto* event = std::get_if<EventStop>(&stop);
        return event != nullptr && announces_child(event->event) &&
               StoppedTask(waited.tid).event_message() == static_cast<unsigned long>(child);
    };
    const auto deadline = std::chrono::steady_clock::now() + creators_delay;
    for (std::size_t next = 0;;) {
        for (; next < collected_.size(); ++next) {
            if (!announces_it(collected_[next])) continue;
            const Waited creators = collected_[next];
            collected_.erase(collected_.begin() + static_cast<std::ptrdiff_t>(next));
            act(creators);
            return;
        }
        const auto waited = wait_for_any(WNOHANG);
        if (waited) collected_.push_back(*waited);
        if (!waited && std::chrono::steady_clock::now() > deadline) return;
    }
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
    if (is_to_be_killed(task)) ::kill(stopped.tid(), SIGKILL);
    if (task.held) return;
    if (!letting_go_) {
        const Process& process = *task.process;
        task.surely_filtered = process.let_run;
        if (learner_) task.resumed = std::chrono::steady_clock::now();
        const bool runs = task.outside || (process.let_run && !process.has_own_filter &&
                                           process.loading_filters == 0 && !task.current && !task.injection);
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
    // The recording of a container is written at that end.
    if (id.tid == main_ && std::holds_alternative<Container>(target_)) tell_of_stops();
    if (recorded) emit(TaskExited{id, ended.status});
    if (id.tid == main_ && std::exchange(main_unreaped_, false)) {
        int status = 0;
        while (::wait4(main_, &status, __WALL, nullptr) < 0 && errno == EINTR) {
        }
    }
    if (id.tid == main_ && plan_.until_exit) let_everything_go();
}

void Run::on(const SyscallStop&, Task& task) {
    StoppedTask stopped(task.id.tid);
    placement_.served(task.id.tid);
    if (letting_go_) {
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
            if (learner_) consider_letting_run(stopped, task);
            // Here it cannot be undone yet: the stop that follows comes with the kernel's own restarting.
            if (info->exit.rval == -EINTR && !task.injection && task.begun_again < most_beginnings)
                stopped.interrupt();
            else
                task.begun_again = 0;
        }
    }
    resume(std::move(stopped), task);
}

void Run::on(const EventStop& stop, Task& task) {
    StoppedTask stopped(task.id.tid);
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

void Run::on(const GroupStop& stop, Task& task) {
    task.group_stopped = true;
    if (std::holds_alternative<Launch>(target_) && task.process->pid == main_) main_stopped_by_ = stop.signal;
    if (letting_go_)
        resume(StoppedTask(task.id.tid), task);  // stays stopped: the stop is the process's
    else
        StoppedTask(task.id.tid).listen();
}

void Run::on(const TrapStop&, Task& task) {
    const bool was_stopped = std::exchange(task.group_stopped, false);
    if (task.process->pid == main_) main_stopped_by_ = 0;
    StoppedTask stopped(task.id.tid);
    if (!was_stopped) begin_call_again(stopped, task);  // a group-stop's EINTR comes without us too
    resume(std::move(stopped), task);
}

void Run::on(const SignalStop& stop, Task& task) {
    StoppedTask stopped(task.id.tid);
    if (!task.injection && !stops_or_continues(stop.signal)) begin_call_again(stopped, task);
    resume(std::move(stopped), task, stop.signal);
}

// Not all EINTR is a tracer's doing: a filter can answer with it, or a driver, and would do so for ever.
void Run::begin_call_again(const StoppedTask& stopped, Task& task) {
    if (task.begun_again < most_beginnings && undo_interruption(stopped)) ++task.begun_again;
}

}  // namespace callcensus::ptrace
