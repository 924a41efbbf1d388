#include "record/ptrace/learner.hpp"

namespace callcensus::ptrace {
namespace {

// A target can make up as many as it likes of both. What is beyond stops each time, and is no news.
constexpr std::size_t most_unnamed_calls = 256;
// What is beyond is taken for one program.
constexpr std::size_t most_programs = 4096;
const std::string others = "[others]";

}  // namespace

bool Learner::can_be_learnt(Syscall call) {
    if (census_.contains(call) || !syscall_name(call).empty()) return true;
    return ++unnamed_calls_ <= most_unnamed_calls;
}

// Null where it has ended, whoever has its pid now.
Learner::Process* Learner::creator_of(const Process& process) {
    const auto found = processes_.find(process.creator);
    return found != processes_.end() && found->second.serial < process.serial ? &found->second : nullptr;
}

Learner::Program& Learner::program(const std::string& executable) {
    if (const auto known = programs_.find(executable); known != programs_.end()) return known->second;
    const std::string& name = programs_.size() < most_programs ? executable : others;
    Program& program = programs_[name];
    program.executable = name;
    return program;
}

Learner::Process& Learner::started(pid_t pid, pid_t creator, const std::string& executable) {
    Process& process = processes_[pid] = Process{};
    process.pid = pid;
    process.creator = creator;
    process.serial = next_serial_++;
    if (Process* parent = creator_of(process)) {
        parent->habits.starts_others = true;
        parent->program->starts_others = true;
        if (executable.empty()) process.program = parent->program;
    }
    if (process.program == nullptr) process.program = &program(executable);
    return process;
}

void Learner::execed(Process& process, const std::string& executable) {
    process.program->starts_others = true;
    process.program = &program(executable);
    process.habits = {0, process.program->starts_others, 0, process.program->quiet_runs};
    process.began_by_exec = true;
    process.had_news = false;
    process.calls_in_window = 0;
}

void Learner::ended(const Process& process, bool whole) {
    if (process.began_by_exec && process.had_news)
        process.program->quiet_runs = 0;
    else if (process.began_by_exec && whole)
        ++process.program->quiet_runs;
    if (Process* parent = creator_of(process)) ++parent->habits.quiet_children;
    processes_.erase(process.pid);
}

bool Learner::saw(Process& process, Syscall call, std::chrono::nanoseconds outside) {
    if (!can_be_learnt(call)) return false;
    if (process.program->calls.insert(call)) {
        news(process);
    } else {
        QuietWindow& window = process.window;
        if (process.calls_in_window == 0) {
            process.window_began = std::chrono::steady_clock::now();
            window = {};
        }
        window.outside += std::min<std::chrono::nanoseconds>(outside, QuietWindow::longest_outside);
        if (++process.calls_in_window == QuietWindow::length) {
            window.elapsed = std::chrono::steady_clock::now() - process.window_began;
            process.habits.quiet_windows += weight(window);
            process.calls_in_window = 0;
        }
    }
    return census_.insert(call);
}

// A process that still shows something new speaks against letting those run that may start more of its kind.
void Learner::news(Process& process) {
    for (Process* one = &process; one != nullptr; one = creator_of(*one)) {
        one->had_news = true;
        one->calls_in_window = 0;
        one->habits.quiet_windows = 0;
        one->habits.quiet_children = 0;
        one->habits.quiet_runs = 0;
    }
}

}  // namespace callcensus::ptrace
