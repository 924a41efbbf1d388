#include "container/container_observer.hpp"

#include <syslog.h>

#include "abi/known_call.hpp"
#include "base/file.hpp"
#include "base/salvage.hpp"
#include "callcensus/format.hpp"
#include "container/system_log.hpp"

namespace callcensus {
namespace {

// How long the end of a container is held up where somebody else has its files locked; a snapshot holds up
// none.
constexpr std::chrono::milliseconds longest_wait{5000}, no_wait{0};

}  // namespace

ContainerObserver::ContainerObserver(const HookJob& job, HookFiles& files, UniqueFd pipe)
    : job_(job), files_(files), pipe_(std::move(pipe)) {
    heading_.engine = job.recorder->id();
    heading_.command = job.command;
}

Verdict ContainerObserver::on(const Event& event) {
    collector_.on(event);
    if (const auto* noted = std::get_if<Noted>(&event))
        to_system_log(LOG_INFO, of_container(noted->what));
    else if (const auto* lost = std::get_if<Lost>(&event))
        to_system_log(LOG_ERR, of_container(lost->what));
    else if (std::holds_alternative<Following>(event))
        tell_runtime(std::string_view(&follows_container, 1));
    else if (executes_the_command(event))
        executed_ = true;
    else if (const auto* exited = std::get_if<TaskExited>(&event); exited && is_end_of_init(exited->task))
        // At once: the runtime and its callers hear of this end only when we are done.
        write({}, longest_wait);
    else if (std::holds_alternative<Tick>(event) && executed_ &&
             collector_.builder().last_news() > last_tried_)
        write({gap_of_snapshot("container")}, no_wait);
    return Verdict::go_on;
}

void ContainerObserver::finish(const Result<Outcome>& outcome) {
    if (!outcome && pipe_) return tell_runtime(outcome.error().text());
    std::vector<std::string> gaps;
    if (!outcome)
        gaps.push_back(outcome.error().text());
    else if (outcome->let_go != 0)
        gaps.push_back(gap_of_let_go(outcome->let_go));
    for (const std::string& gap : gaps) to_system_log(LOG_ERR, of_container(gap));
    if (!executed_)
        to_system_log(LOG_ERR, of_container("its command was never executed: there is nothing to write"));
    else if (!is_written_ || had_survivors_ || !gaps.empty())
        write(gaps, longest_wait);
    if (executed_ && !is_written_) save_elsewhere(gaps);
}

std::string ContainerObserver::of_container(const std::string& line) const {
    return "container " + job_.container + ": " + line;
}

void ContainerObserver::tell_runtime(std::string_view what) {
    // Where nobody listens any more the container is not going to start either.
    static_cast<void>(write_all(pipe_.get(), what, "the pipe to the hook"));
    pipe_.reset();
}

// The execve may be the first thing that is recorded, and may fail.
bool ContainerObserver::executes_the_command(const Event& event) const {
    static const KnownCall execve_call("execve"), execveat_call("execveat");
    if (const auto* execed = std::get_if<Execed>(&event)) return execed->task.tid == job_.init;
    const auto* returned = std::get_if<SyscallReturned>(&event);
    return returned != nullptr && returned->task.tid == job_.init && !returned->is_error &&
           (execve_call.is(returned->call) || execveat_call.is(returned->call));
}

// Before the execve the thread that has the number of its process may end and another one execute.
bool ContainerObserver::is_end_of_init(TaskId task) const { return executed_ && task.tid == job_.init; }

Recording ContainerObserver::recording(const std::vector<std::string>& gaps) const {
    Recording recording = collector_.recording();
    heading_.put_on(recording);
    recording.notes.insert(recording.notes.end(), job_.notes.begin(), job_.notes.end());
    recording.gaps.insert(recording.gaps.end(), gaps.begin(), gaps.end());
    return recording;
}

void ContainerObserver::write(const std::vector<std::string>& gaps, std::chrono::milliseconds wait) {
    const std::vector<Error> errors = files_.write(recording(gaps), wait);
    for (const Error& error : errors) to_system_log(LOG_ERR, of_container(error.text()));
    for (const std::string& note : files_.notes()) to_system_log(LOG_WARNING, of_container(note));
    for (const std::string& loss : files_.losses())
        to_system_log(LOG_WARNING, of_container("the format of " + job_.request.output + " lacks " + loss));
    last_tried_ = collector_.elapsed();
    is_written_ = errors.empty();
    had_survivors_ = collector_.tree().live() != 0;
}

void ContainerObserver::save_elsewhere(const std::vector<std::string>& gaps) const {
    const Limits& limits = job_.request.limits;
    const std::string saved =
        salvage(write_recording(recording(gaps)),
                limits.asker == Asker::owner ? job_.request.output : limits.directory + "/x");
    to_system_log(LOG_ERR, of_container(saved.empty() ? "the recording could not be saved anywhere"
                                                      : "the recording is safe in " + saved));
}

}  // namespace callcensus
