#include "cli/trace_observer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/procfs.hpp"
#include "callcensus/format.hpp"
#include "cli/messages.hpp"

namespace callcensus::cli {

TraceObserver::TraceObserver(const TraceOptions& options, const Target& target)
    : options_(options), target_(target), shows_status_(!options.quiet && StatusLine::possible()) {
    heading_.command = command_of(target);
}

Verdict TraceObserver::on(const Event& event) {
    collector_.on(event);
    if (std::holds_alternative<Following>(event)) {
        if (!options_.quiet) say_whom_we_follow(target_);
    } else if (const auto* seen = std::get_if<SyscallSeen>(&event)) {
        if (shows_status_) status_line_.note(*seen);
    } else if (const auto* returned = std::get_if<SyscallReturned>(&event)) {
        if (shows_status_) status_line_.note(*returned);
    } else if (std::holds_alternative<Released>(event)) {
        status_line_.wipe();  // from here on it may write unseen
    } else if (const auto* exited = std::get_if<TaskExited>(&event)) {
        ended(*exited);
    } else if (const auto* started = std::get_if<TaskStarted>(&event)) {
        if (main_.serial == 0) main_ = started->task;
    } else if (std::holds_alternative<Tick>(event)) {
        tick();
    }
    return Verdict::go_on;
}

void TraceObserver::runs_under(std::string_view engine, const SyscallSet& known) {
    heading_.engine = engine;
    known_ = known;
}

std::optional<std::chrono::milliseconds> TraceObserver::tick_interval() const {
    if (shows_status_) return StatusLine::interval;
    if (!options_.recording.empty()) return snapshot_interval;
    return std::nullopt;
}

Recording TraceObserver::recording() const {
    Recording recording = collector_.recording();
    heading_.put_on(recording);
    SyscallSet observed;
    for (const CallRecord& record : recording.calls) observed.insert(record.call);
    const SyscallSet assumed = known_ - observed;
    recording.assumed.assign(assumed.begin(), assumed.end());
    return recording;
}

void TraceObserver::ended(const TaskExited& exited) {
    if (!(exited.task == main_) || options_.target.container || options_.target.attaches()) return;
    survivors_ = collector_.tree().live();
    if (survivors_ == 0 || options_.target.until_exit || !shows_status_) return;
    status_line_.wipe();
    say(fmt::format("the command has ended; following {} that it left running until they end (Ctrl-C: {})",
                    survivors_ == 1 ? "a process" : fmt::format("{} processes", survivors_),
                    running_freely().empty() ? "stop following" : "ask them to end"));
}

void TraceObserver::tick() {
    const Milliseconds now = collector_.elapsed();
    const RecordingBuilder& builder = collector_.builder();
    if (shows_status_ && unseen_writers())
        status_line_.wipe();
    else if (shows_status_)
        status_line_.show(now, collector_.tree().processes_started(), builder.distinct_calls(),
                          builder.last_news());
    if (!options_.recording.empty() && now - last_snapshot_ >= snapshot_interval &&
        builder.last_news() > last_snapshot_)
        save_snapshot(now);
}

// Those whose known calls are not reported.
std::vector<pid_t> TraceObserver::running_freely() const {
    std::vector<pid_t> pids;
    for (const ProcessTree::Process* process : collector_.tree().live_processes())
        if (process->scope != Scope::process) pids.push_back(process->pid);
    return pids;
}

// Their writing would run into the line, and nobody tells us of it.
bool TraceObserver::unseen_writers() const {
    const std::vector<pid_t> pids = running_freely();
    return std::any_of(pids.begin(), pids.end(), procfs::uses_our_terminal);
}

void TraceObserver::save_snapshot(Milliseconds now) {
    last_snapshot_ = now;
    Recording snapshot = recording();
    snapshot.gaps.push_back(gap_of_snapshot("target"));
    // Should this fail, the end of the run tells; the target is not to suffer for it.
    static_cast<void>(replace_file(options_.recording, write_recording(snapshot)));
}

}  // namespace callcensus::cli
