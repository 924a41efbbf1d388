// What a run does at system calls: which are reported, which are changed on the way, and when a process is
// released.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "abi/known_call.hpp"
#include "base/procfs.hpp"
#include "record/ptrace/census_filter.hpp"
#include "record/ptrace/run.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

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

// `info`: of an entry stop, or of a filter's.
bool Run::entered(StoppedTask& stopped, Task& task, const __ptrace_syscall_info& info) {
    const bool by_filter = info.op == PTRACE_SYSCALL_INFO_SECCOMP;
    task.current = identify(info.arch, by_filter ? info.seccomp.nr : info.entry.nr);
    task.cloning.reset();
    task.expects_child = false;
    if (!task.current) {
        char text[16];
        std::snprintf(text, sizeof text, "0x%08x", info.arch);
        emit(Lost{std::string("calls of an architecture that callcensus does not know: ") + text});
        return false;
    }
    const Syscall call = *task.current;
    std::array<std::uint64_t, 6> arguments{};
    std::copy_n(by_filter ? info.seccomp.args : info.entry.args, arguments.size(), arguments.begin());
    if (task.recorded)
        emit(SyscallSeen{task.id, call, arguments, info.instruction_pointer, info.stack_pointer});
    const bool is_new =
        learner_ && task.recorded && learner_->saw(*task.process->learnt, call, since(task.resumed));

    if (learner_ && task.recorded && task.process->release.has_own_filter() && !by_filter)
        stops_.under_own_filter(task.process->learnt->program->executable);

    static const KnownCall ptrace_call("ptrace"), fork_call("fork"), vfork_call("vfork");
    if (ptrace_call.is(call)) refuse_to_be_traced(stopped, task, arguments);
    if ((learner_ || !task.recorded || plan_.suspend_filters) && sets_filter(call, arguments))
        begins_to_load_filter(task, sets_filter_of_all_threads(call, arguments));
    // Calls that we would have it make would be dispatched to the program itself.
    if (dispatches_calls(call, arguments)) task.process->release.is_impossible();
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
    const bool is_new = !seen_at_entry && entered(stopped, task, *info);
    const bool is_ours = task.process->release.depends_on_us() && info->seccomp.ret_data == our_filter_data;
    if (is_ours && task.current && !seen_at_entry && !is_new) count_stop_of_released(task);
    if (!is_ours && stopped.set_syscall_number(-1)) task.void_number = info->seccomp.nr;
    // Of a call that stops the task for want of a looser filter the result is not worth a second stop, save
    // that of clone3: only it tells of a child that has escaped (untraced_clone.hpp).
    const bool wants_exit = seen_at_entry || is_new || task.refuse_call || task.loads_filter ||
                            task.void_number || (task.cloning && task.cloning->is_clone3) ||
                            hidden_untraced_.count(task.id.tid) != 0;
    if (!wants_exit) task.current.reset();
}

void Run::count_stop_of_released(const Task& task) {
    const Syscall call = *task.current;
    if (task.recorded && learner_ && learner_->learnable(call) && passes_when_known(call))
        stops_.after_release(task.process->learnt->program->executable, call);
}

// Seccomp takes the strictest answer of all filters, so that a denial by the target's own hides calls from
// ours. A stop at the entry comes before all of them. Where other threads get the filter in this moment, they
// are made to stop too; a call that one of them makes before that stop reaches it is seen unless it is
// denied.
void Run::begins_to_load_filter(Task& task, bool on_all_threads) {
    Process& process = *task.process;
    process.release.begins_to_load_filter();
    task.loads_filter = true;
    if (!process.release.is_released() || !on_all_threads) return;
    for (const auto& [tid, other] : tasks_)
        if (other.process == &process && tid != task.id.tid && !other.group_stopped) interrupt(tid);
}

void Run::resume_parked(const Process& process) {
    std::vector<Task*> parked;
    for (auto& [tid, task] : tasks_)
        if (task.process == &process && task.parked) parked.push_back(&task);
    for (Task* task : parked) {
        StoppedTask stopped = std::move(*task->parked);
        task->parked.reset();
        resume(std::move(stopped), *task);
    }
}

// It has been killed where it was parked, or its tid is that of a task which has executed a program.
void Run::drop_parked(Task& task) {
    if (!task.parked) return;
    std::move(*task.parked).abandon();
    task.parked.reset();
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
        has_loaded_filter = !is_error;
        task.process->release.has_tried_to_load_filter(has_loaded_filter);
    }
    if (task.refuse_call && stopped.set_result(-EPERM)) {
        value = -EPERM;
        is_error = true;
    }
    task.refuse_call = false;
    if (!outcome_.started) {
        launches_by(call, value, is_error, has_loaded_filter, stopped, task);
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
    if (task.expects_child && !is_error && value > 0) emit(Lost{how_it_escaped(task.cloning)});
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
        begin_the_deadlines();
    } else {
        abandon_injection(task);  // another thread has taken over this one's tid
        end_siblings(task, static_cast<pid_t>(stopped.event_message().value_or(0)));
    }
    // The execve that begins what is recorded is its first call; what we or a runtime did before it was not
    // the target's.
    const bool begins = !task.recorded &&
                        (records_only_containers() ? !is_launched && is_inside_container(task) : is_launched);
    task.process->release.executes(plan_.by_executable);
    if (task.recorded) {
        emit(Execed{task.id, executable});
    } else if (begins) {
        begin_recording(stopped, task, executable);
    }
    if (learner_) learner_->execed(*task.process->learnt, executable);
    if (begins && task.current) {
        emit(SyscallSeen{task.id, *task.current, {}, 0, 0});
        if (learner_) learner_->saw(*task.process->learnt, *task.current, {});
    }
    task.outside = is_outside_containers(task);
    if (!task.recorded) return;
    if (const auto note =
            privilege_lost_at_exec(task.id.tid, executable, task.process->release.has_lost_privileges()))
        emit(Noted{*note});
}

// ---- releasing processes ----

// At the exit from a call.
void Run::consider_release(StoppedTask& stopped, Task& task) {
    Process& process = *task.process;
    if (!process.release.may_begin() || !task.recorded) return;
    if (ending_.is_killing() || ending_.is_letting_go() || !learner_->may_run(*process.learnt)) return;
    if (!Injection::possible_at(stopped)) return;
    const auto filter = census_filter(learner_->known_to(*process.learnt), plan_.known_if);
    if (!filter) {
        process.release.is_impossible();
        return;
    }
    task.injection = Injection::begin(stopped, *filter, !plan_.keep_privileges);
    if (task.injection) process.release.injection_begins();
}

void Run::go_on_injecting(StoppedTask& stopped, Task& task) {
    const auto progress = task.injection->advance(stopped);
    if (progress == Injection::Progress::under_way) return;
    Release& release = task.process->release;
    const bool loaded = progress == Injection::Progress::loaded;
    release.injection_ends(loaded, task.injection->has_set_no_new_privs());
    injection_is_over(task);
    if (loaded) emit(Released{task.id, scope_of(*task.process)});
}

void Run::abandon_injection(Task& task) {
    if (!task.injection) return;
    task.process->release.injection_is_lost(task.injection->has_set_no_new_privs());
    injection_is_over(task);
}

void Run::injection_is_over(Task& task) {
    task.injection.reset();
    resume_parked(*task.process);
}

Scope Run::scope_of(const Process& process) const {
    if (!process.release.is_released()) return Scope::process;
    return plan_.by_executable ? Scope::executable : Scope::tree;
}

}  // namespace callcensus::ptrace
