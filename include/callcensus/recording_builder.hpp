/// Turns the events of a Recorder into a Recording.
///
///     RecordingBuilder builder(steady_milliseconds);
///     builder.on(event);                       // for each one
///     Recording seen = builder.snapshot();     // at any time
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "callcensus/event.hpp"
#include "callcensus/recording.hpp"

namespace callcensus {

class RecordingBuilder {
  public:
    /// Time since the recording began; asked only when something new appears, since that is far rarer than
    /// events.
    using Clock = std::function<Milliseconds()>;

    explicit RecordingBuilder(Clock clock) : clock_(std::move(clock)) {}

    void on(const Event& event);
    /// A place that a call was made from, of which SyscallSeen has come. The first few are kept.
    void add_site(Syscall call, const CallSite& site);

    /// What has been seen so far. Generator, engine, host, command, start and what was assumed are the
    /// caller's to fill in.
    [[nodiscard]] Recording snapshot() const;

    /// Who a task is; empty and 0 for one that is not known.
    struct Maker {
        pid_t process = 0;
        std::string executable;
    };
    [[nodiscard]] Maker maker_of(TaskId task) const;

    [[nodiscard]] std::size_t distinct_calls() const { return calls_.size(); }
    [[nodiscard]] std::size_t processes() const { return processes_.size(); }
    [[nodiscard]] std::size_t live_processes() const { return live_processes_.size(); }
    /// Of these, those whose known calls are not reported (LetRun): their pids.
    [[nodiscard]] std::vector<pid_t> running_freely() const;
    /// When the last call that was not yet known appeared; empty before the first one.
    [[nodiscard]] std::optional<Milliseconds> last_news() const { return last_news_; }

  private:
    struct Task {
        std::uint32_t serial;
        ProcessIndex process;
    };
    struct Counters {
        std::uint64_t entries = 0;
        std::vector<std::pair<int, std::uint64_t>> returned;  // few errnos a call: a scan beats a tree
        std::vector<std::pair<ExecutableIndex, std::uint64_t>> by_executable;
        FirstSeen first;
        std::vector<CallSite> sites;
    };

    void see(const Following&) {}
    void see(const TaskStarted&);
    void see(const Execed&);
    void see(const SyscallSeen&);
    void see(const SyscallReturned&);
    void see(const LetRun&);
    void see(const TaskExited&);
    void see(const Lost&);
    void see(const Noted&);
    void see(const Tick&) {}

    const Task* find(TaskId id) const;
    ExecutableIndex intern(const std::string& executable);

    Clock clock_;
    std::unordered_map<pid_t, Task> tasks_;
    std::unordered_map<pid_t, ProcessIndex> live_processes_;  // by thread group id
    std::unordered_map<std::string, ExecutableIndex> executable_index_;
    std::unordered_map<Syscall, Counters> calls_;
    std::vector<std::string> executables_;
    std::vector<ProcessRecord> processes_;
    std::vector<std::string> gaps_;
    std::vector<std::string> notes_;
    std::optional<Milliseconds> last_news_;
};

}  // namespace callcensus
