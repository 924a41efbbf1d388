#include "callcensus/recording_builder.hpp"

#include <algorithm>
#include <cerrno>

#include "base/words.hpp"
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

constexpr const char* others = "[others]";

std::size_t size_of(const CallSite& site) {
    return site.module.size() + site.build_id.size() + site.symbol.size();
}

}  // namespace

void RecordingBuilder::Remarks::add(const std::string& text, std::size_t most) {
    if (known.count(text) != 0) return;
    more = more || texts.size() >= most;
    if (texts.size() >= most) return;
    texts.push_back(text);
    known.insert(text);
}

std::vector<std::string> RecordingBuilder::Remarks::list(const char* of_more) const {
    std::vector<std::string> all = texts;
    if (more) all.emplace_back(of_more);
    return all;
}

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
    const auto entry = calls_.find(call);
    if (entry == calls_.end()) return;
    std::vector<CallSite>& sites = entry->second.sites;
    if (site_bytes_ + size_of(site) > limits_.name_bytes) {
        ++left_out_.sites;
        return;
    }
    const std::size_t before = sites.size();
    keep_first(sites, {site});
    if (sites.size() != before) site_bytes_ += size_of(site);
}

bool RecordingBuilder::wants_site(Syscall call) const {
    const auto entry = calls_.find(call);
    return entry != calls_.end() && entry->second.sites.size() < sites_kept;
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
    if (const auto known = executable_index_.find(executable); known != executable_index_.end())
        return known->second;
    if (executables_.size() >= limits_.executables ||
        executable_bytes_ + executable.size() > limits_.name_bytes) {
        left_out_.executables = true;
        return intern_others();
    }
    executable_bytes_ += executable.size();
    const auto index = static_cast<ExecutableIndex>(executables_.size());
    executables_.push_back(executable);
    return executable_index_[executable] = index;
}

ExecutableIndex RecordingBuilder::intern_others() {
    const auto [entry, is_new] =
        executable_index_.try_emplace(others, static_cast<ExecutableIndex>(executables_.size()));
    if (is_new) executables_.emplace_back(others);
    return entry->second;
}

// Whether a call that was not seen before can be. What has a name always is: there are not many.
bool RecordingBuilder::is_kept(Syscall call) {
    if (!syscall_name(call).empty()) return true;
    if (unnamed_calls_ >= limits_.unnamed_calls) return false;
    ++unnamed_calls_;
    return true;
}

ProcessIndex RecordingBuilder::add(ProcessRecord process) {
    ++processes_started_;
    ++execs_;
    if (processes_.size() >= limits_.processes) {
        ++left_out_.processes;
        process.parent = process.parent ? listed(*process.parent) : 0;
        if (!free_places_.empty()) {
            const ProcessIndex place = free_places_.back();
            free_places_.pop_back();
            processes_[place] = std::move(process);
            return place;
        }
    }
    processes_.push_back(std::move(process));
    return static_cast<ProcessIndex>(processes_.size() - 1);
}

ProcessIndex RecordingBuilder::listed(ProcessIndex process) const {
    return process < limits_.processes ? process : processes_[process].parent.value_or(0);
}

std::uint64_t& RecordingBuilder::share_of(Counters& counters, ExecutableIndex executable) {
    if (const auto known = counters.by_executable.find(executable); known != counters.by_executable.end())
        return known->second;
    if (shares_ >= limits_.shares) {
        left_out_.shares = true;
        return counters.by_executable[intern_others()];
    }
    ++shares_;
    return counters.by_executable[executable];
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
    const ProcessIndex index = add(std::move(process));
    live_processes_[started.process] = index;
    tasks_[started.task.tid] = {started.task.serial, index};
}

void RecordingBuilder::see(const Execed& execed) {
    const Task* task = find(execed.task);
    if (task == nullptr) return;
    auto& executables = processes_[task->process].executables;
    const ExecutableIndex executable = intern(execed.executable);
    if (execs_ < limits_.execs) {
        ++execs_;
        executables.push_back(executable);
    } else {
        ++left_out_.execs;
        executables.back() = executable;
    }
}

void RecordingBuilder::see(const SyscallSeen& seen) {
    const Task* task = find(seen.task);
    if (task == nullptr) return;
    const ExecutableIndex executable = processes_[task->process].executables.back();
    auto entry = calls_.find(seen.call);
    if (entry == calls_.end()) {
        if (!is_kept(seen.call)) {
            ++left_out_.calls;
            return;
        }
        entry = calls_.try_emplace(seen.call).first;
        last_news_ = clock_();
        entry->second.first = {*last_news_, listed(task->process), executable};
    }
    ++entry->second.entries;
    ++share_of(entry->second, executable);
}

void RecordingBuilder::see(const SyscallReturned& returned) {
    const auto entry = calls_.find(returned.call);
    if (entry == calls_.end()) {
        const bool is_none = returned.is_error && returned.value == -ENOSYS;
        left_out_.calls_that_exist = left_out_.calls_that_exist || (left_out_.calls != 0 && !is_none);
        return;
    }
    ++counter(entry->second.returned, returned.is_error ? static_cast<int>(-returned.value) : 0);
}

void RecordingBuilder::see(const LetRun& let_run) {
    const Task* task = find(let_run.task);
    if (task == nullptr) return;
    processes_[task->process].scope = let_run.scope;
    Scope& shown = processes_[listed(task->process)].scope;
    shown = std::max(shown, let_run.scope);
}

void RecordingBuilder::see(const TaskExited& exited) {
    const Task* task = find(exited.task);
    if (task == nullptr) return;
    ProcessRecord& process = processes_[task->process];
    if (exited.task.tid == process.pid) {  // the leader's status comes last and is the process's
        process.status = exited.status;
        live_processes_.erase(process.pid);
        if (task->process >= limits_.processes) free_places_.push_back(task->process);
    }
    tasks_.erase(exited.task.tid);
}

void RecordingBuilder::see(const Lost& lost) { gaps_.add(lost.what, limits_.remarks); }

void RecordingBuilder::see(const Noted& noted) { notes_.add(noted.what, limits_.remarks); }

std::vector<pid_t> RecordingBuilder::running_freely() const {
    std::vector<pid_t> pids;
    for (const auto& [pid, index] : live_processes_)
        if (processes_[index].scope != Scope::process) pids.push_back(pid);
    return pids;
}

void RecordingBuilder::say_what_is_left_out(Recording& recording) const {
    const auto say = [](std::vector<std::string>& texts, std::uint64_t count, const std::string& what) {
        if (count != 0) texts.push_back(what);
    };
    const std::string calls = counted(left_out_.calls, "call") + " by further numbers without a name";
    say(left_out_.calls_that_exist ? recording.gaps : recording.notes, left_out_.calls,
        calls +
            (left_out_.calls_that_exist
                 ? " are left out, and the kernel has some of them"
                 : " are left out: the kernel does not have them either, and no profile could name them"));
    say(recording.gaps, left_out_.executables ? 1 : 0,
        "of more than " + std::to_string(limits_.executables) +
            " executables, or of such long names, the later ones are recorded as one, " + others);
    say(recording.gaps, left_out_.shares ? 1 : 0,
        std::string("so many executables make so many calls that some are counted as those of ") + others);
    say(recording.notes, left_out_.processes,
        std::to_string(left_out_.processes) + " further processes" +
            " are recorded, and not listed one by one");
    say(recording.notes, left_out_.execs,
        "of programs that were executed " + std::to_string(left_out_.execs) +
            " are not in the list of their process, which ends with the last one");
    say(recording.notes, left_out_.sites,
        counted(left_out_.sites, "place") + " that calls were made from are left out, for their long names");
}

Recording RecordingBuilder::snapshot() const {
    Recording recording;
    recording.duration = clock_();
    recording.gaps = gaps_.list("further things could not be seen");
    recording.notes = notes_.list("further notes are left out");
    say_what_is_left_out(recording);
    recording.executables = executables_;
    recording.processes.assign(
        processes_.begin(),
        processes_.begin() + static_cast<std::ptrdiff_t>(std::min(processes_.size(), limits_.processes)));
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
