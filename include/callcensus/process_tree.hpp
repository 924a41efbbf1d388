/// Who is whose thread and child, and which executable each process runs: worked out once from the events of
/// a Recorder, for everybody who has to know.
///
///     ProcessTree tree;
///     tree.on(event);                          // each one, before anybody asks
///     if (const auto* task = tree.find(seen.task))
///         std::cerr << task->process->pid << ' ' << tree.executable_of(*task->process) << '\n';
///
/// A task is known from its TaskStarted to its TaskExited, and to be found until the event that follows its
/// end, so that whoever handles its end can still ask about it. What is not recorded is not known. Of tasks
/// that are let go no event tells: they live to the end of the recording.
///
/// To find the task of the event that came last costs a comparison, of another one a look into a hash table.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "callcensus/event.hpp"

namespace callcensus {

/// How many executables a tree tells apart: a target can make up as many as it likes, with names as long as
/// it likes. Those beyond are one, `[others]`.
struct ExecutableLimits {
    std::size_t count = 4096;
    std::size_t name_bytes = 4 << 20;  ///< of all together
};

class ProcessTree {
  public:
    struct Process {
        pid_t pid = 0;             ///< thread group id
        std::uint32_t number = 0;  ///< in the order of their beginnings, from 0; of this process alone
        /// Small, and of no other process that lives: an index for what others keep of each. A process that
        /// begins later can have it again.
        std::size_t place = 0;
        std::uint32_t executable = 0;    ///< what it runs: an index into executables()
        std::uint32_t threads = 0;       ///< that live; 0: it has ended
        std::uint32_t threads_ever = 0;  ///< 1 when its first one begins, and more with each further one
        Scope scope = Scope::process;    ///< wider where its known calls are not reported (Released)
        struct Creator {
            std::size_t place = 0;
            std::uint32_t number = 0;
        };
        std::optional<Creator> creator;  ///< empty where it is not known; see creator_of()
    };
    struct Task {
        TaskId id;
        const Process* process = nullptr;
    };

    explicit ProcessTree(const ExecutableLimits& limits = {}) : limits_(limits) {}
    ProcessTree(const ProcessTree&) = delete;
    ProcessTree& operator=(const ProcessTree&) = delete;

    void on(const Event& event);

    /// Null where the task is not known; the pointer holds until the next event.
    [[nodiscard]] const Task* find(TaskId id) const {
        return latest_ != nullptr && latest_->id == id ? latest_ : look_up(id);
    }
    /// The process that created it, while that lives.
    [[nodiscard]] const Process* creator_of(const Process& process) const;
    /// The live process with that pid, or null.
    [[nodiscard]] const Process* process(pid_t pid) const;
    /// In no order.
    [[nodiscard]] std::vector<const Process*> live_processes() const;
    [[nodiscard]] std::size_t live() const { return live_.size(); }
    /// All that ever were.
    [[nodiscard]] std::size_t processes_started() const { return processes_started_; }

    /// In the order of their appearance, each once.
    [[nodiscard]] const std::vector<std::string>& executables() const { return executables_; }
    [[nodiscard]] const std::string& executable_of(const Process& process) const {
        return executables_[process.executable];
    }
    static constexpr const char* others = "[others]";
    /// Whether some count as that.
    [[nodiscard]] bool executables_left_out() const { return executables_left_out_; }
    [[nodiscard]] const ExecutableLimits& limits() const { return limits_; }

  private:
    void see(const TaskStarted& started);
    void see(const Execed& execed);
    void see(const SyscallSeen& seen) { latest_ = find(seen.task); }
    void see(const SyscallReturned& returned) { latest_ = find(returned.task); }
    void see(const Released& released);
    void see(const TaskExited& exited);
    template <class Other>
    void see(const Other&) {}

    [[nodiscard]] const Task* look_up(TaskId id) const;
    Process& joined_by(const TaskStarted& started, const Task* creator);
    Process& begin(const TaskStarted& started, const Task* creator);
    void leave(const Task& task);
    void forget(pid_t tid);
    std::uint32_t intern(const std::string& executable);

    ExecutableLimits limits_;
    std::unordered_map<pid_t, Task> tasks_;
    std::unordered_map<pid_t, std::size_t> live_;  // places, by pid
    std::deque<Process> processes_;                // by place
    std::vector<std::size_t> free_places_;
    std::uint32_t processes_started_ = 0;
    const Task* latest_ = nullptr;  // whom the last event was about
    std::optional<pid_t> ended_;    // with the last event

    std::vector<std::string> executables_;
    std::unordered_map<std::string, std::uint32_t> executable_index_;
    std::size_t name_bytes_ = 0;
    bool executables_left_out_ = false;
};

}  // namespace callcensus
