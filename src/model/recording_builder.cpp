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

// Stands for ProcessTree::others until the list of executables is complete.
constexpr ExecutableIndex index_of_others = ~ExecutableIndex{0};

std::size_t size_of(const CallSite& site) {
    return site.module.size() + site.build_id.size() + site.symbol.size();
}

// Their index, made where it is not there yet.
ExecutableIndex others_in(Recording& recording) {
    auto& all = recording.executables;
    const auto found = std::find(all.begin(), all.end(), ProcessTree::others);
    const auto index = static_cast<ExecutableIndex>(found - all.begin());
    if (found == all.end()) all.emplace_back(ProcessTree::others);
    return index;
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
    if (site_bytes_ + size_of(site) > limits_.site_bytes) {
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

// Whether a call that was not seen before can be. What has a name always is: there are not many.
bool RecordingBuilder::is_kept(Syscall call) {
    if (!syscall_name(call).empty()) return true;
    if (unnamed_calls_ >= limits_.unnamed_calls) return false;
    ++unnamed_calls_;
    return true;
}

ProcessRecord* RecordingBuilder::record_of(const ProcessTree::Process& process) {
    return process.number < processes_.size() ? &processes_[process.number] : nullptr;
}

std::uint64_t& RecordingBuilder::share_of(Counters& counters, ExecutableIndex executable) {
    if (const auto known = counters.by_executable.find(executable); known != counters.by_executable.end())
        return known->second;
    if (shares_ >= limits_.shares) {
        left_out_.shares = true;
        return counters.by_executable[index_of_others];
    }
    ++shares_;
    return counters.by_executable[executable];
}

void RecordingBuilder::see(const TaskStarted& started) {
    const ProcessTree::Process& process = *tree_.find(started.task)->process;
    if (process.threads_ever != 1) {
        if (ProcessRecord* const record = record_of(process)) ++record->threads;
        return;
    }
    if (listed_.size() <= process.place) listed_.resize(process.place + 1);
    const auto parent = process.creator ? std::optional(listed_[process.creator->place]) : std::nullopt;
    if (processes_.size() >= limits_.processes) {
        listed_[process.place] = parent.value_or(0);
        return;
    }
    ++execs_;
    ProcessRecord record;
    record.pid = process.pid;
    record.parent = parent;
    record.started = clock_();
    record.executables = {process.executable};
    record.scope = process.scope;
    listed_[process.place] = static_cast<ProcessIndex>(processes_.size());
    processes_.push_back(std::move(record));
}

void RecordingBuilder::see(const Execed& execed) {
    const ProcessTree::Task* const task = tree_.find(execed.task);
    if (task == nullptr) return;
    ProcessRecord* const record = record_of(*task->process);
    if (record == nullptr) return;
    if (execs_ < limits_.execs) {
        ++execs_;
        record->executables.push_back(task->process->executable);
    } else {
        ++left_out_.execs;
        record->executables.back() = task->process->executable;
    }
}

void RecordingBuilder::see(const SyscallSeen& seen) {
    const ProcessTree::Task* const task = tree_.find(seen.task);
    if (task == nullptr) return;
    const ProcessTree::Process& process = *task->process;
    auto entry = calls_.find(seen.call);
    if (entry == calls_.end()) {
        if (!is_kept(seen.call)) {
            ++left_out_.calls;
            return;
        }
        entry = calls_.try_emplace(seen.call).first;
        last_news_ = clock_();
        entry->second.first = {*last_news_, listed_[process.place], process.executable};
    }
    ++entry->second.entries;
    ++share_of(entry->second, process.executable);
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

void RecordingBuilder::see(const Released& released) {
    const ProcessTree::Task* const task = tree_.find(released.task);
    if (task == nullptr) return;
    Scope& shown = processes_[listed_[task->process->place]].scope;
    shown = std::max(shown, released.scope);
}

void RecordingBuilder::see(const TaskExited& exited) {
    const ProcessTree::Task* const task = tree_.find(exited.task);
    if (task == nullptr || exited.task.tid != task->process->pid) return;
    // The leader's status comes last and is the process's.
    if (ProcessRecord* const record = record_of(*task->process)) record->status = exited.status;
}

void RecordingBuilder::see(const Lost& lost) { gaps_.add(lost.what, limits_.remarks); }

void RecordingBuilder::see(const Noted& noted) { notes_.add(noted.what, limits_.remarks); }

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
    say(recording.gaps, tree_.executables_left_out() ? 1 : 0,
        "of more than " + std::to_string(tree_.limits().count) +
            " executables, or of such long names, the later ones are recorded as one, " +
            ProcessTree::others);
    say(recording.gaps, left_out_.shares ? 1 : 0,
        std::string("so many executables make so many calls that some are counted as those of ") +
            ProcessTree::others);
    const std::size_t unlisted = tree_.processes_started() - processes_.size();
    say(recording.notes, unlisted,
        std::to_string(unlisted) + " further processes are recorded, and not listed one by one");
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
    recording.executables = tree_.executables();
    recording.processes = processes_;
    if (!processes_.empty()) recording.status = processes_.front().status;
    recording.calls.reserve(calls_.size());
    for (const auto& [call, counters] : calls_) {
        CallRecord record;
        record.call = call;
        record.count = counters.entries;
        record.first = counters.first;
        record.returned.insert(counters.returned.begin(), counters.returned.end());
        for (const auto& [executable, count] : counters.by_executable)
            record.by_executable[executable == index_of_others ? others_in(recording) : executable] += count;
        record.sites = counters.sites;
        recording.calls.push_back(std::move(record));
    }
    std::sort(recording.calls.begin(), recording.calls.end(),
              [](const CallRecord& a, const CallRecord& b) { return a.call < b.call; });
    return recording;
}

}  // namespace callcensus
