#include "callcensus/recording_builder.hpp"

#include <algorithm>

#include "model/uses.hpp"

namespace callcensus {
namespace {

// The counter for `key` in a short list, made when it is not there yet.
template <class Key>
std::uint64_t& counter(std::vector<std::pair<Key, std::uint64_t>>& counters, Key key) {
    for (auto& [present, count] : counters)
        if (present == key) return count;
    return counters.emplace_back(key, 0).second;
}

void add_once(std::vector<std::string>& texts, const std::string& text) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

}  // namespace

std::uint64_t CallRecord::unfinished() const {
    std::uint64_t finished = 0;
    for (const auto& [errnum, times] : returned) finished += times;
    return count > finished ? count - finished : 0;
}

bool Recording::exact_counts() const { return scope() == Scope::process; }

Scope Recording::scope() const {
    Scope widest = Scope::process;
    for (const ProcessRecord& process : processes) widest = std::max(widest, process.scope);
    return widest;
}

void RecordingBuilder::on(const Event& event) {
    std::visit([this](const auto& what) { see(what); }, event);
}

void RecordingBuilder::add_site(Syscall call, const CallSite& site) {
    if (const auto entry = calls_.find(call); entry != calls_.end()) keep_first(entry->second.sites, {site});
}

const RecordingBuilder::Task* RecordingBuilder::find(TaskId id) const {
    const auto found = tasks_.find(id.tid);
    return found != tasks_.end() && found->second.serial == id.serial ? &found->second : nullptr;
}

RecordingBuilder::Maker RecordingBuilder::maker_of(TaskId id) const {
    const Task* task = find(id);
    if (task == nullptr) return {};
    const ProcessRecord& process = processes_[task->process];
    return {process.pid, executables_[process.executables.back()]};
}

ExecutableIndex RecordingBuilder::intern(const std::string& executable) {
    const auto [entry, is_new] =
        executable_index_.try_emplace(executable, static_cast<ExecutableIndex>(executables_.size()));
    if (is_new) executables_.push_back(executable);
    return entry->second;
}

void RecordingBuilder::see(const TaskStarted& started) {
    const auto live = live_processes_.find(started.process);
    const Task* creator = find(started.creator);
    // A leader that comes after its threads: they had outlived another one, and one has executed a program.
    const bool becomes_leader =
        creator != nullptr && live != live_processes_.end() && creator->process == live->second;
    if (live != live_processes_.end() && (started.process != started.task.tid || becomes_leader)) {
        ++processes_[live->second].threads;
        tasks_[started.task.tid] = {started.task.serial, live->second};
        return;
    }
    ProcessRecord process;
    process.pid = started.process;
    process.started = clock_();
    process.scope = started.scope;
    if (creator != nullptr) process.parent = creator->process;
    if (started.executable.empty() && creator != nullptr)
        process.executables = {processes_[creator->process].executables.back()};
    else
        process.executables = {intern(started.executable)};
    const auto index = static_cast<ProcessIndex>(processes_.size());
    processes_.push_back(std::move(process));
    live_processes_[started.process] = index;
    tasks_[started.task.tid] = {started.task.serial, index};
}

void RecordingBuilder::see(const Execed& execed) {
    const Task* task = find(execed.task);
    if (task == nullptr) return;
    processes_[task->process].executables.push_back(intern(execed.executable));
}

void RecordingBuilder::see(const SyscallSeen& seen) {
    const Task* task = find(seen.task);
    if (task == nullptr) return;
    const ExecutableIndex executable = processes_[task->process].executables.back();
    const auto [entry, is_new] = calls_.try_emplace(seen.call);
    Counters& counters = entry->second;
    if (is_new) {
        last_news_ = clock_();
        counters.first = {*last_news_, task->process, executable};
    }
    ++counters.entries;
    ++counter(counters.by_executable, executable);
}

void RecordingBuilder::see(const SyscallReturned& returned) {
    const auto entry = calls_.find(returned.call);
    if (entry == calls_.end()) return;
    ++counter(entry->second.returned, returned.is_error ? static_cast<int>(-returned.value) : 0);
}

void RecordingBuilder::see(const LetRun& let_run) {
    if (const Task* task = find(let_run.task)) processes_[task->process].scope = let_run.scope;
}

void RecordingBuilder::see(const TaskExited& exited) {
    const Task* task = find(exited.task);
    if (task == nullptr) return;
    ProcessRecord& process = processes_[task->process];
    if (exited.task.tid == process.pid) {  // the leader's status comes last and is the process's
        process.status = exited.status;
        live_processes_.erase(process.pid);
    }
    tasks_.erase(exited.task.tid);
}

void RecordingBuilder::see(const Lost& lost) { add_once(gaps_, lost.what); }

void RecordingBuilder::see(const Noted& noted) { add_once(notes_, noted.what); }

std::vector<pid_t> RecordingBuilder::running_freely() const {
    std::vector<pid_t> pids;
    for (const auto& [pid, index] : live_processes_)
        if (processes_[index].scope != Scope::process) pids.push_back(pid);
    return pids;
}

Recording RecordingBuilder::snapshot() const {
    Recording recording;
    recording.duration = clock_();
    recording.gaps = gaps_;
    recording.notes = notes_;
    recording.executables = executables_;
    recording.processes = processes_;
    if (!processes_.empty()) recording.status = processes_.front().status;
    recording.calls.reserve(calls_.size());
    for (const auto& [call, counters] : calls_) {
        CallRecord record;
        record.call = call;
        record.count = counters.entries;
        record.first = counters.first;
        record.returned.insert(counters.returned.begin(), counters.returned.end());
        record.by_executable.insert(counters.by_executable.begin(), counters.by_executable.end());
        record.sites = counters.sites;
        recording.calls.push_back(std::move(record));
    }
    std::sort(recording.calls.begin(), recording.calls.end(),
              [](const CallRecord& a, const CallRecord& b) { return a.call < b.call; });
    return recording;
}

}  // namespace callcensus
