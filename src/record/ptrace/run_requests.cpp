// What comes to a run from outside: signals, deadlines, requests to end or to let go, and the terminal's
// job control.
#include <sys/ptrace.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "record/ptrace/run.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

// timeout(1) signals its child and then its whole process group, which we are in: that is one request, not
// two.
constexpr std::chrono::milliseconds one_request{100};

// How long a task is waited for that is to be let go. One that waits for its vfork child, or for a disk that
// does not answer, stops for nobody.
constexpr std::chrono::seconds time_to_stop{3};

// How long the engine around a container that was killed may take to clean up.
constexpr std::chrono::seconds time_to_clean_up{10};

}  // namespace

void Run::take_signals() {
    while (const auto signal = signals_.next()) relay(*signal);
    look_at_the_clock();
    set_the_alarm();
}

// What the terminal sends (Ctrl-C, Ctrl-Z, hang-up) has reached the target as well. What somebody sends to us
// by kill(2) was meant for the program that we stand in for, and so was a timer that was set before it
// replaced its caller (`alarm`), which we have in its place. What the target sends to its parent was not
// meant for itself.
void Run::relay(SignalRelay::Signal signal) {
    const bool has_no_time_left = signal.number == SIGXCPU && signal.from_kernel;
    const bool is_to_end = signal.number == SIGINT || signal.number == SIGTERM || signal.number == SIGHUP ||
                           signal.number == SIGQUIT || has_no_time_left;
    if (is_to_end) outcome_.interrupted_by = signal.number;
    if (!std::holds_alternative<Launch>(target_)) {
        // We stand in for nobody. Nor do we stop for Ctrl-Z: the target would, at its next call.
        if (is_to_end) let_everything_go();
        return;
    }
    switch (signal.number) {
        case SIGXCPU:
            if (has_no_time_left)
                end_on_request(SIGXCPU);
            else
                pass_on(signal);
            break;
        case SIGTERM:
        case SIGHUP:
            // Of a hang-up the kernel tells the session's leader alone (tty_signal_session_leader() in
            // drivers/tty/tty_jobctrl.c). Where that is a shell, the shell tells its jobs; where it is us, as
            // under `ssh -t` or as a container's first process, nobody else tells the target.
            if (signal.from_kernel && main_is_alive() && ::getsid(0) != self_) break;
            end_on_request(signal.number);
            break;
        case SIGINT:
        case SIGQUIT:
            // When only daemons are left nobody but us hears the terminal: the user wants to be rid of *us*.
            if (!main_is_alive())
                let_everything_go();
            else if (!signal.from_kernel)
                ::kill(main_, signal.number);
            break;
        case SIGTSTP:
            if (!main_is_alive())
                signals_.stop_ourselves(SIGTSTP);
            else if (!signal.from_kernel)
                ::kill(main_, signal.number);
            break;
        case SIGXFSZ:  // by the kernel: for a write of ours, which has failed
        case SIGWINCH:
            if (!signal.from_kernel) pass_on(signal);
            break;
        default:
            pass_on(signal);
            break;
    }
}

void Run::pass_on(SignalRelay::Signal signal) {
    if (!main_is_alive() || processes_.count(signal.sender) != 0) return;
    if (signal.number != SIGWINCH) outcome_.interrupted_by = signal.number;
    ::kill(main_, signal.number);
}

// The first request is passed on, a second one ends everything.
void Run::end_on_request(int signal) {
    const auto now = std::chrono::steady_clock::now();
    if (!asked_to_end_) {
        asked_to_end_ = now;
        ask_to_end(signal);
    } else if (now - *asked_to_end_ > one_request) {
        kill_everything();
    }
}

void Run::look_at_the_clock() {
    const auto now = std::chrono::steady_clock::now();
    if (kill_at_ && now >= *kill_at_) {
        kill_at_.reset();
        kill_everything();
    }
    if (time_is_up_ && now >= *time_is_up_) {
        time_is_up_.reset();
        if (std::holds_alternative<Launch>(target_)) {
            kill_at_ = now + plan_.kill_after;
            ask_to_end(SIGTERM);
        } else {
            let_everything_go();
        }
    }
    if (leave_at_ && now >= *leave_at_) left_to_the_kernel_ = true;
    if (next_tick_ && now >= *next_tick_) {
        next_tick_ = now + *plan_.tick;
        emit(Tick{});
    }
}

void Run::set_the_alarm() {
    std::optional<Time> first;
    for (const auto& deadline : {next_tick_, time_is_up_, kill_at_, leave_at_})
        if (deadline && (!first || *deadline < *first)) first = deadline;
    signals_.wake_at(first);
}

// To the first process or, when that has ended, to those at the top of what is left of the tree (a daemon's
// master, which will see to its workers).
void Run::ask_to_end(int signal) {
    if (main_is_alive()) {
        ::kill(main_, signal);
        return;
    }
    for (const auto& [pid, process] : processes_)
        if (processes_.count(process.creator) == 0) ::kill(pid, signal);
}

// An engine ends by itself when its container has ended, and cleans up after it, which nobody would do in its
// place: with its monitor killed podman holds that the container still runs, and cannot even remove it. Only
// where it lives on it is killed as well.
void Run::kill_everything() {
    const bool contained =
        std::any_of(tasks_.begin(), tasks_.end(), [](const auto& entry) { return entry.second.recorded; });
    spares_engines_ = records_only_containers() && contained && !killing_;
    if (spares_engines_) kill_at_ = std::chrono::steady_clock::now() + time_to_clean_up;
    killing_ = true;  // and whatever appears from now on, see resume()
    for (const auto& [tid, task] : tasks_)
        if (is_to_be_killed(task)) kill_process(task.process->pid);
}

void Run::let_everything_go() {
    if (letting_go_) return;
    // A call that our filter does not know fails once there is no tracer: who has it cannot live without us.
    if (std::any_of(processes_.begin(), processes_.end(),
                    [](const auto& entry) { return entry.second.depends_on_us; })) {
        end_on_request(SIGTERM);
        return;
    }
    letting_go_ = true;
    // Others would die with us.
    if ((options() & PTRACE_O_EXITKILL) == 0) {
        leave_at_ = std::chrono::steady_clock::now() + time_to_stop;
        set_the_alarm();
    }
    for (const auto& [tid, task] : tasks_) interrupt(tid);
}

// A shell knows only us: when the target is stopped (Ctrl-Z, SIGTTIN), the shell gets its prompt back only if
// we stop too. But once stopped we serve nobody, so this waits until everything in the target's process group
// has stopped (a helper that is to continue its stopped parent must go on), and a SIGSTOP counts only where
// there is a terminal and thus perhaps a shell: without one, whoever sent it will send SIGCONT to the target
// and not to us.
void Run::consider_stopping_with_the_target() {
    const int signal = main_stopped_by_;
    if (signal == SIGSTOP && ::tcgetpgrp(STDIN_FILENO) < 0 && ::tcgetpgrp(STDERR_FILENO) < 0) return;
    const pid_t group = ::getpgid(main_);
    for (const auto& [tid, task] : tasks_)
        if (!task.group_stopped && ::getpgid(task.process->pid) == group) return;

    main_stopped_by_ = 0;
    signals_.stop_ourselves(signal);
    // `fg` continues the whole group and the target reports it; `kill -CONT` may have reached us alone.
    statuses_.collect();
    if (!statuses_.has_any_of(main_)) ::kill(main_, SIGCONT);
}

}  // namespace callcensus::ptrace
