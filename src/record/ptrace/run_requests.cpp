// What comes to a run from outside: signals, deadlines, requests to end or to let go, and the terminal's
// job control.
#include <sys/ptrace.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "record/ptrace/run.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {

void Run::take_signals() {
    while (const auto signal = signals_.next()) relay(*signal);
    const auto now = std::chrono::steady_clock::now();
    while (const auto step = ending_.due(now)) carry_out(*step);
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

void Run::end_on_request(int signal) {
    if (const auto step = ending_.requested(std::chrono::steady_clock::now())) carry_out(*step, signal);
}

void Run::carry_out(Ending::Step step, int signal) {
    switch (step) {
        case Ending::Step::ask:
            ask_to_end(signal);
            break;
        case Ending::Step::kill:
            kill_everything();
            break;
        case Ending::Step::let_go:
            let_everything_go();
            break;
        case Ending::Step::tick:
            emit(Tick{});
            break;
        case Ending::Step::leave:  // the loop looks for it
            break;
    }
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
    ending_.kills(std::chrono::steady_clock::now(), records_only_containers() && contained);
    for (const auto& [tid, task] : tasks_)
        if (is_to_be_killed(task)) kill_process(task.process->pid);
}

void Run::let_everything_go() {
    // A call that our filter does not know fails once there is no tracer: who has it cannot live without us.
    const bool depends_on_us = std::any_of(processes_.begin(), processes_.end(), [](const auto& entry) {
        return entry.second.release.depends_on_us();
    });
    const auto step = ending_.let_go(std::chrono::steady_clock::now(), depends_on_us);
    if (!step) return;
    if (*step == Ending::Step::let_go)
        for (const auto& [tid, task] : tasks_) interrupt(tid);
    else
        carry_out(*step);
    set_the_alarm();
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
