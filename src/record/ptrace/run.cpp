#include "record/ptrace/run.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "abi/known_call.hpp"
#include "base/procfs.hpp"
#include "record/ptrace/census_filter.hpp"
#include "record/ptrace/interruption.hpp"

namespace callcensus::ptrace {
namespace {

// wait4(-1) always reports the first waiting task of a list, so that a few hot tasks at its head would starve
// the others. Every so many stops all that wait are collected first, and each is served once.
constexpr std::uint32_t collection_interval = 32;

constexpr std::chrono::microseconds creators_delay{300};

// Of one call in a row. Signals that are ignored come in bursts, when many children end.
constexpr std::uint32_t most_beginnings = 16;

// A program that is to gain privilege by its file does not, under a tracer without CAP_SYS_PTRACE (ptrace(2),
// "exec under ptrace") or after no_new_privs. Such a run is not what the program would do by itself, and the
// user should know.
std::optional<std::string> privilege_lost_at_exec(pid_t tid, const std::string& executable,
                                                  bool by_no_new_privs) {
    if (::geteuid() == 0 && !by_no_new_privs) return std::nullopt;
    const std::string exe = "/proc/" + std::to_string(tid) + "/exe";
    const auto task = procfs::task_status(tid);
    struct stat file {};
    const bool by_mode =
        task && ::stat(exe.c_str(), &file) == 0 &&
        (((file.st_mode & S_ISUID) != 0 && file.st_uid != task->user) ||
         ((file.st_mode & S_ISGID) != 0 && (file.st_mode & S_IXGRP) != 0 && file.st_gid != task->group));
    const bool by_capabilities = ::getxattr(exe.c_str(), "security.capability", nullptr, 0) > 0;
    if (!by_mode && !by_capabilities) return std::nullopt;
    return executable + " would gain privileges by its " +
           (by_mode ? "set-user-ID or set-group-ID bit" : "file capabilities") +
           (::geteuid() == 0
                ? ", but not after callcensus has set no_new_privs to load its filter: record with "
                  "--keep-privileges or --engine ptrace"
                : ", but not while callcensus runs without root's: record it as root, with "
                  "--keep-privileges or --engine ptrace");
}

std::chrono::nanoseconds since(std::chrono::steady_clock::time_point time) {
    return std::chrono::steady_clock::now() - time;
}

bool announces_child(int event) {
    return event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE;
}

bool stops_or_continues(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU ||
           signal == SIGCONT;
}

bool dispatches_calls(Syscall call, const std::array<std::uint64_t, 6>& arguments) {
    static const KnownCall prctl_call("prctl");
    constexpr std::uint32_t set_syscall_user_dispatch = 59;  // PR_SET_SYSCALL_USER_DISPATCH, Linux 5.11
    return prctl_call.is(call) && static_cast<std::uint32_t>(arguments[0]) == set_syscall_user_dispatch;
}

bool sets_filter_of_all_threads(Syscall call, const std::array<std::uint64_t, 6>& arguments) {
    static const KnownCall seccomp_call("seccomp");
    return seccomp_call.is(call) && (arguments[1] & SECCOMP_FILTER_FLAG_TSYNC) != 0;
}

bool sets_filter(Syscall call, const std::array<std::uint64_t, 6>& arguments) {
    static const KnownCall seccomp_call("seccomp"), prctl_call("prctl");
    const auto operation = static_cast<std::uint32_t>(arguments[0]);
    if (seccomp_call.is(call))
        return operation == SECCOMP_SET_MODE_FILTER || operation == SECCOMP_SET_MODE_STRICT;
    return prctl_call.is(call) && operation == PR_SET_SECCOMP;
}

}  // namespace

Run::Run(const Target& target, const Plan& plan, Sink& sink, Mode mode)
    : target_(target),
      plan_(plan),
      sink_(sink),
      own_root_(procfs::root_directory(self_)),
      own_mount_namespace_(procfs::mount_namespace(self_)) {
    if (mode == Mode::adaptive) learner_.emplace(plan.known, plan.by_executable, plan.patience);
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
            entered(stopped, task, info->arch, info->entry.nr, info->entry.args);
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

// ---- system calls ----

bool Run::entered(StoppedTask& stopped, Task& task, std::uint32_t arch, std::uint64_t number,
                  const std::uint64_t (&values)[6]) {
    task.current = identify(arch, number);
    task.cloning.reset();
    task.expects_child = false;
    if (!task.current) {
        char text[16];
        std::snprintf(text, sizeof text, "0x%08x", arch);
        emit(Lost{std::string("calls of an architecture that callcensus does not know: ") + text});
        return false;
    }
    const Syscall call = *task.current;
    const auto arguments = std::to_array(values);
    if (task.recorded) emit(SyscallSeen{task.id, call, arguments});
    const bool is_new =
        learner_ && task.recorded && learner_->saw(*task.process->learnt, call, since(task.resumed));

    static const KnownCall ptrace_call("ptrace"), fork_call("fork"), vfork_call("vfork");
    if (ptrace_call.is(call)) refuse_to_be_traced(stopped, task, arguments);
    if ((learner_ || !task.recorded || plan_.suspend_filters) && sets_filter(call, arguments))
        begins_to_load_filter(task, sets_filter_of_all_threads(call, arguments));
    // Calls that we would have it make would be dispatched to the program itself.
    if (dispatches_calls(call, arguments)) task.process->cannot_be_let_run = true;
    task.expects_child = fork_call.is(call) || vfork_call.is(call);
    task.cloning = clone_flags(stopped, call, arguments);
    if (task.cloning) {
        task.expects_child = true;
        if (task.cloning->untraced() && hide_untraced(stopped, *task.cloning))
            hidden_untraced_.insert_or_assign(task.id.tid, *task.cloning);
    }
    return is_new;
}

// A filter has stopped the task at a call: ours because the call is not known to it, or one of the target's
// own with SECCOMP_RET_TRACE. The latter would find no tracer without us, and the call would fail with
// ENOSYS.
void Run::trapped(StoppedTask& stopped, Task& task) {
    const auto info = stopped.syscall_info();
    if (!info || info->op != PTRACE_SYSCALL_INFO_SECCOMP) return;
    // Where calls stop at their entry too, this one has been seen there, before any filter looked at it.
    const bool seen_at_entry = task.current.has_value();
    const bool is_new =
        !seen_at_entry && entered(stopped, task, info->arch, info->seccomp.nr, info->seccomp.args);
    const bool is_ours = task.process->depends_on_us && info->seccomp.ret_data == our_filter_data;
    if (!is_ours && stopped.set_syscall_number(-1)) task.void_number = info->seccomp.nr;
    // Of a call that stops the task for want of a looser filter the result is not worth a second stop.
    const bool wants_exit = seen_at_entry || is_new || task.refuse_call || task.loads_filter ||
                            task.void_number || hidden_untraced_.count(task.id.tid) != 0;
    if (!wants_exit) task.current.reset();
}

// Seccomp takes the strictest answer of all filters, so that a denial by the target's own hides calls from
// ours. A stop at the entry comes before all of them. Where other threads get the filter in this moment, they
// are made to stop too; a call that one of them makes before that stop reaches it is seen unless it is
// denied.
void Run::begins_to_load_filter(Task& task, bool on_all_threads) {
    Process& process = *task.process;
    ++process.loading_filters;
    task.loads_filter = true;
    // A filter that arrives in the middle of our injection may deny it the rest of its calls, or kill for
    // them.
    task.held = process.injecting;
    if (!process.let_run || !on_all_threads) return;
    for (const auto& [tid, other] : tasks_)
        if (other.process == &process && tid != task.id.tid && !other.group_stopped)
            ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
}

void Run::release_held(const Process& process) {
    std::vector<Task*> held;
    for (auto& [tid, task] : tasks_)
        if (task.process == &process && std::exchange(task.held, false)) held.push_back(&task);
    for (Task* task : held) resume(StoppedTask(task->id.tid), *task);
}

void Run::returned(StoppedTask& stopped, Task& task, std::int64_t value, bool is_error) {
    if (const auto hidden = hidden_untraced_.find(task.id.tid); hidden != hidden_untraced_.end()) {
        restore_untraced(stopped, hidden->second);
        hidden_untraced_.erase(hidden);
    }
    if (task.void_number) {
        [[maybe_unused]] const bool alive =
            stopped.set_syscall_number(static_cast<std::int64_t>(*task.void_number));
        task.void_number.reset();
    }
    if (!task.current) return;
    const Syscall call = *task.current;
    task.current.reset();
    if (learner_) Learner::returned(*task.process->learnt, since(task.resumed));
    bool has_loaded_filter = false;
    if (std::exchange(task.loads_filter, false)) {
        --task.process->loading_filters;
        has_loaded_filter = !is_error;
        task.process->has_own_filter = task.process->has_own_filter || has_loaded_filter;
    }
    if (task.refuse_call && stopped.set_result(-EPERM)) {
        value = -EPERM;
        is_error = true;
    }
    task.refuse_call = false;
    if (!outcome_.started) {
        static const KnownCall execve_call("execve");
        if (is_error && execve_call.is(call)) outcome_.exec_errno = static_cast<int>(-value);
        return;
    }
    if (has_loaded_filter && plan_.suspend_filters) emit(Noted{filters_switched_off});
    if (!task.recorded) {
        // What this thread calls from here on passes the container's filter.
        if (has_loaded_filter && records_only_containers() && is_inside_container(task))
            begin_recording(stopped, task, procfs::executable(task.id.tid));
        return;
    }
    emit(SyscallReturned{task.id, call, value, is_error});
    if (task.expects_child && !is_error && value > 0)
        emit(Lost{"a process or thread that was created with CLONE_UNTRACED could not be followed"});
}

// A target that seizes its own tracer would have both wait for each other for ever.
void Run::refuse_to_be_traced(StoppedTask& stopped, Task& task,
                              const std::array<std::uint64_t, 6>& arguments) {
    const bool attaches = arguments[0] == PTRACE_ATTACH || arguments[0] == PTRACE_SEIZE;
    if (attaches && static_cast<pid_t>(arguments[1]) == self_)
        task.refuse_call = stopped.set_syscall_number(-1);
}

void Run::created(Task& creator, pid_t child) {
    creator.expects_child = false;
    // Its first stop may have come before this event, and even its end.
    if (const auto adopted = adopted_.find(child); adopted != adopted_.end()) {
        adopted_.erase(adopted);
        return;
    }  // Of a call that was not seen at its entry, or is not waited for, only /proc tells.
    std::optional<bool> makes_thread;
    if (creator.current) makes_thread = creator.cloning ? creator.cloning->makes_thread() : false;
    const pid_t process = creator.process->pid;
    const bool is_thread = makes_thread ? *makes_thread : procfs::is_thread_of(process, child);
    begin(child, is_thread ? process : child, &creator);
}

void Run::execed(StoppedTask& stopped, Task& task) {
    const std::string executable = procfs::executable(task.id.tid);
    const bool is_launched = !outcome_.started;
    if (is_launched) {
        outcome_.started = true;
        outcome_.exec_errno = 0;
        set_the_deadlines();
    } else {
        abandon_injection(task);  // another thread has taken over this one's tid
        task.process->cannot_be_let_run = false;
        end_siblings(task, static_cast<pid_t>(stopped.event_message().value_or(0)));
    }
    // The execve that begins what is recorded is its first call; what we or a runtime did before it was not
    // the target's.
    const bool begins = !task.recorded &&
                        (records_only_containers() ? !is_launched && is_inside_container(task) : is_launched);
    if (task.recorded) {
        emit(Execed{task.id, executable});
        // The filter stays, but what it lets through was known of another executable.
        if (plan_.by_executable) task.process->let_run = false;
    } else if (begins) {
        begin_recording(stopped, task, executable);
    }
    if (learner_) learner_->execed(*task.process->learnt, executable);
    if (begins && task.current) {
        emit(SyscallSeen{task.id, *task.current, {}});
        if (learner_) learner_->saw(*task.process->learnt, *task.current, {});
    }
    task.outside = is_outside_containers(task);
    if (!task.recorded) return;
    if (const auto note = privilege_lost_at_exec(task.id.tid, executable, task.process->lost_privileges))
        emit(Noted{*note});
}

// ---- letting processes run ----

// At the exit from a call.
void Run::consider_letting_run(StoppedTask& stopped, Task& task) {
    Process& process = *task.process;
    if (process.let_run || process.injecting || process.cannot_be_let_run) return;
    if (process.has_own_filter || process.loading_filters != 0) return;
    if (!task.recorded || killing_ || letting_go_ || !learner_->may_run(*process.learnt)) return;
    if (!Injection::possible_at(stopped)) return;
    const auto filter = census_filter(learner_->known_to(*process.learnt));
    if (!filter) {
        process.cannot_be_let_run = true;
        return;
    }
    task.injection = Injection::begin(stopped, *filter, !plan_.keep_privileges);
    process.injecting = process.depends_on_us = task.injection.has_value();
}

void Run::go_on_injecting(StoppedTask& stopped, Task& task) {
    const auto progress = task.injection->advance(stopped);
    if (progress == Injection::Progress::under_way) return;
    Process& process = *task.process;
    process.let_run = progress == Injection::Progress::loaded;
    process.cannot_be_let_run = !process.let_run;
    abandon_injection(task);
    if (process.let_run) emit(LetRun{task.id, scope_of(process)});
}

void Run::abandon_injection(Task& task) {
    if (!task.injection) return;
    Process& process = *task.process;
    process.lost_privileges = process.lost_privileges || task.injection->has_set_no_new_privs();
    process.injecting = false;
    task.injection.reset();
    release_held(process);
}

Scope Run::scope_of(const Process& process) const {
    if (!process.let_run) return Scope::process;
    return plan_.by_executable ? Scope::executable : Scope::tree;
}

// ---- the tree ----

Run::Task* Run::find(pid_t tid) {
    const auto found = tasks_.find(tid);
    return found == tasks_.end() ? nullptr : &found->second;
}

// `certain`: the creator is known from the kernel, and not guessed.
Run::Task& Run::begin(pid_t tid, pid_t process, const Task* creator, bool certain) {
    const TaskId creator_id = creator != nullptr ? creator->id : TaskId{};
    Process& group = processes_[process];
    if (++group.threads == 1) {
        group.pid = process;
        inherit(group, creator, certain);
    }
    Task& task = tasks_[tid];
    task.id = {tid, next_serial_++};
    task.process = &group;
    if (creator != nullptr)
        if (const auto hidden = hidden_untraced_.find(creator->id.tid); hidden != hidden_untraced_.end())
            task.untraced_to_restore = hidden->second;
    task.recorded = creator != nullptr ? creator->recorded : records_strangers(tid);
    task.outside = is_outside_containers(task);
    if (task.recorded)
        emit(TaskStarted{task.id, creator_id, process,
                         creator != nullptr ? std::string() : procfs::executable(tid), scope_of(group)});
    return task;
}

void Run::inherit(Process& process, const Task* creator, bool certain) {
    if (creator != nullptr) process.creator = creator->process->pid;
    if (!learner_) return;
    process.learnt = &learner_->started(process.pid, process.creator,
                                        creator != nullptr ? std::string() : procfs::executable(process.pid));
    if (!certain) {
        // Whose filters it has, if any, nobody can tell: with one it is watched at every call to its end.
        const auto status = procfs::task_status(process.pid);
        process.has_own_filter = process.depends_on_us = !status || status->seccomp != 0;
    }
    if (creator == nullptr) return;
    const Process& from = *creator->process;
    process.cannot_be_let_run = from.cannot_be_let_run;
    process.lost_privileges = from.lost_privileges;
    if (!certain) return;
    process.has_own_filter = from.has_own_filter || from.loading_filters != 0;
    process.depends_on_us = from.depends_on_us;
    // A child has its creator's filter as it was at the moment of the clone. Where another thread's injection
    // may have come between, it is watched at every call: that is right with the filter and without.
    process.let_run = from.let_run && creator->surely_filtered;
}

// A task that stops before we were told of it. Its creator is in the middle of a call that creates tasks, and
// /proc says which process it belongs to or descends from.
Run::Task* Run::adopt(pid_t tid) {
    const auto status = procfs::task_status(tid);
    if (!status || status->tracer != self_) return nullptr;
    const bool is_thread = processes_.count(status->process) != 0;
    const pid_t origin = is_thread ? status->process : status->parent;
    const auto creates_there = [&](const auto& entry) {
        return entry.second.process->pid == origin && entry.second.expects_child;
    };
    const auto is_there = [&](const auto& entry) { return entry.second.process->pid == origin; };
    auto creator = std::find_if(tasks_.begin(), tasks_.end(), creates_there);
    if (creator == tasks_.end()) creator = std::find_if(tasks_.begin(), tasks_.end(), is_there);
    const Task* known = creator != tasks_.end() ? &creator->second : nullptr;
    // A leader's id that is new to us: the leader had ended when we came, and another thread of the process
    // has just executed a program and got it. Nobody will tell of its creation.
    const bool has_executed = is_thread && tid == status->process;
    if (!has_executed) adopted_.insert(tid);
    return &begin(tid, status->process, known, false);
}

// `whole`: it came to its end by itself.
void Run::forget(pid_t tid, bool whole) {
    const auto found = tasks_.find(tid);
    if (found == tasks_.end()) return;
    Process& process = *found->second.process;
    if (found->second.arriving) count_arrival(found->second);
    if (found->second.loads_filter) --process.loading_filters;
    abandon_injection(found->second);
    hidden_untraced_.erase(tid);
    tasks_.erase(found);
    if (--process.threads != 0) return;
    if (learner_) learner_->ended(*process.learnt, whole);
    processes_.erase(process.pid);
}

// An exec ends every other thread of its process and gives the one that did it the leader's tid. Neither the
// old tid nor (where it was the leader's own) the leader gets a wait status of its own.
void Run::end_siblings(const Task& survivor, pid_t former_tid) {
    if (survivor.process->threads <= 1) return;
    if (Task* former = find(former_tid); former != nullptr && former_tid != survivor.id.tid) {
        Task& leader = tasks_.at(survivor.id.tid);
        leader.current = former->current;
        leader.expects_child = false;
        leader.group_stopped = false;
    }
    std::vector<std::pair<TaskId, bool>> gone;
    for (const auto& [tid, task] : tasks_)
        if (task.process == survivor.process && tid != survivor.id.tid)
            gone.emplace_back(task.id, task.recorded);
    for (const auto& [id, recorded] : gone) {
        forget(id.tid);
        if (recorded) emit(TaskExited{id, {}});
    }
}

}  // namespace callcensus::ptrace
