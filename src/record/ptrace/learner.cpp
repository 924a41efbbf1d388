#include "record/ptrace/learner.hpp"

namespace callcensus::ptrace {
namespace {

// A target can make up as many as it likes. What is beyond stops each time, and is no news.
constexpr std::size_t max_unnamed_calls = 256;

}  // namespace

bool Learner::can_be_learnt(Syscall call) {
    if (census_.contains(call) || !syscall_name(call).empty()) return true;
    return ++unnamed_calls_ <= max_unnamed_calls;
}

// Null where it has ended, whoever has its pid now.
Learner::Process* Learner::creator_of(const Process& process) {
    const ProcessTree::Process* const creator = tree_.creator_of(*process.in_tree);
    return creator != nullptr ? &processes_[creator->place] : nullptr;
}

Learner::Program& Learner::program_of(const Process& process) {
    const std::uint32_t index = process.in_tree->executable;
    if (programs_.size() <= index) programs_.resize(index + 1);
    Program& program = programs_[index];
    if (program.executable.empty()) program.executable = tree_.executable_of(*process.in_tree);
    return program;
}

Learner::Process& Learner::started(pid_t pid, pid_t creator, const std::string& executable) {
    const ProcessTree::Process* const from = tree_.process(creator);
    const TaskId id{pid, next_serial_++};
    tree_.on(TaskStarted{id, from != nullptr ? processes_[from->place].id : TaskId{}, pid, executable});
    const ProcessTree::Process* const in_tree = tree_.find(id)->process;
    if (processes_.size() <= in_tree->place) processes_.resize(in_tree->place + 1);
    Process& process = processes_[in_tree->place] = Process{};
    process.id = id;
    process.in_tree = in_tree;
    process.program = &program_of(process);
    if (Process* parent = creator_of(process)) {
        parent->habits.starts_others = true;
        parent->program->starts_others = true;
    }
    return process;
}

void Learner::execed(Process& process, const std::string& executable) {
    process.program->starts_others = true;
    tree_.on(Execed{process.id, executable});
    process.program = &program_of(process);
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
    tree_.on(TaskExited{process.id, {}});
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
