#include "callcensus/process_tree.hpp"

namespace callcensus {

void ProcessTree::on(const Event& event) {
    if (ended_) forget(*ended_);
    std::visit([this](const auto& what) { see(what); }, event);
}

const ProcessTree::Task* ProcessTree::look_up(TaskId id) const {
    const auto found = tasks_.find(id.tid);
    return found != tasks_.end() && found->second.id == id ? &found->second : nullptr;
}

const ProcessTree::Process* ProcessTree::creator_of(const Process& process) const {
    if (!process.creator) return nullptr;
    const Process& creator = processes_[process.creator->place];
    return creator.number == process.creator->number && creator.threads != 0 ? &creator : nullptr;
}

const ProcessTree::Process* ProcessTree::process(pid_t pid) const {
    const auto found = live_.find(pid);
    return found != live_.end() ? &processes_[found->second] : nullptr;
}

std::vector<const ProcessTree::Process*> ProcessTree::live_processes() const {
    std::vector<const Process*> all;
    all.reserve(live_.size());
    for (const auto& [pid, place] : live_) all.push_back(&processes_[place]);
    return all;
}

void ProcessTree::see(const TaskStarted& started) {
    // Nobody has told us of the end of one that had the same tid.
    if (const auto former = tasks_.find(started.task.tid); former != tasks_.end()) {
        leave(former->second);
        forget(started.task.tid);
    }
    Process& process = joined_by(started, find(started.creator));
    ++process.threads;
    ++process.threads_ever;
    latest_ = &(tasks_[started.task.tid] = {started.task, &process});
}

// A leader can come after its threads: it had ended before we came, and one of them has executed a program.
// But one that another process has created begins a process, whatever had its pid.
ProcessTree::Process& ProcessTree::joined_by(const TaskStarted& started, const Task* creator) {
    const auto live = live_.find(started.process);
    if (live == live_.end()) return begin(started, creator);
    Process& process = processes_[live->second];
    const bool is_forked =
        started.task.tid == started.process && creator != nullptr && creator->process != &process;
    return is_forked ? begin(started, creator) : process;
}

ProcessTree::Process& ProcessTree::begin(const TaskStarted& started, const Task* creator) {
    Process process;
    process.pid = started.process;
    process.number = processes_started_++;
    process.scope = started.scope;
    if (creator != nullptr) process.creator = {creator->process->place, creator->process->number};
    const bool has_creators = started.executable.empty() && creator != nullptr;
    process.executable = has_creators ? creator->process->executable : intern(started.executable);
    if (free_places_.empty()) {
        process.place = processes_.size();
        processes_.push_back(process);
    } else {
        process.place = free_places_.back();
        free_places_.pop_back();
        processes_[process.place] = process;
    }
    live_[process.pid] = process.place;
    return processes_[process.place];
}

void ProcessTree::see(const Execed& execed) {
    latest_ = find(execed.task);
    if (latest_ != nullptr) processes_[latest_->process->place].executable = intern(execed.executable);
}

void ProcessTree::see(const Released& released) {
    latest_ = find(released.task);
    if (latest_ != nullptr) processes_[latest_->process->place].scope = released.scope;
}

void ProcessTree::see(const TaskExited& exited) {
    latest_ = find(exited.task);
    if (latest_ == nullptr) return;
    leave(*latest_);
    ended_ = exited.task.tid;
}

void ProcessTree::leave(const Task& task) {
    Process& process = processes_[task.process->place];
    if (--process.threads != 0) return;
    const auto live = live_.find(process.pid);
    if (live != live_.end() && live->second == process.place) live_.erase(live);
}

// After leave().
void ProcessTree::forget(pid_t tid) {
    const auto task = tasks_.find(tid);
    if (task->second.process->threads == 0) free_places_.push_back(task->second.process->place);
    if (latest_ == &task->second) latest_ = nullptr;
    tasks_.erase(task);
    ended_.reset();
}

std::uint32_t ProcessTree::intern(const std::string& executable) {
    if (const auto known = executable_index_.find(executable); known != executable_index_.end())
        return known->second;
    const auto next = static_cast<std::uint32_t>(executables_.size());
    const bool is_too_much =
        executables_.size() >= limits_.count || name_bytes_ + executable.size() > limits_.name_bytes;
    executables_left_out_ = executables_left_out_ || is_too_much;
    const std::string& name = is_too_much ? others : executable;
    const auto [entry, is_new] = executable_index_.try_emplace(name, next);
    if (!is_new) return entry->second;
    if (!is_too_much) name_bytes_ += name.size();
    executables_.push_back(name);
    return next;
}

}  // namespace callcensus
