// What the adaptive engine learns while it watches: the census (which calls have been made), by whom, and how
// each process behaves, from which patience.hpp decides when it may run.
//
//     Learner learner(known_beforehand, by_program, patience);
//     auto& process = learner.started(pid, creator, "/bin/sh");
//     learner.saw(process, call);                              // at each call that is seen
//     if (learner.may_run(process)) load(learner.known_to(process));
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "callcensus/process_tree.hpp"
#include "callcensus/syscall_set.hpp"
#include "record/ptrace/patience.hpp"

namespace callcensus::ptrace {

class Learner {
  public:
    /// What has been seen of an executable in all its processes.
    struct Program {
        std::string executable;
        SyscallSet calls;
        std::uint32_t quiet_runs = 0;
        bool starts_others = false;
    };
    struct Process {
        TaskId id;  // in the learner's own tree: of the one task that stands for the process
        const ProcessTree::Process* in_tree = nullptr;
        Program* program = nullptr;
        Habits habits;
        bool began_by_exec = false;  // and so what happens to it is a run of its program
        bool had_news = false;
        std::uint32_t calls_in_window = 0;
        std::chrono::steady_clock::time_point window_began;
        QuietWindow window;
    };

    /// `by_program`: a process may make without a stop only what its own executable has been seen to make,
    /// so that each executable's set is exact; otherwise what any process has. `learnable`: what may be made
    /// without a stop once it is known; empty: everything.
    Learner(SyscallSet known_beforehand, bool by_program, double patience,
            std::optional<SyscallSet> learnable = {})
        : beforehand_(std::move(known_beforehand)),
          learnable_(std::move(learnable)),
          by_program_(by_program),
          patience_(patience) {}

    /// The reference holds until ended(). An empty executable is the creator's.
    Process& started(pid_t pid, pid_t creator, const std::string& executable);
    void execed(Process& process, const std::string& executable);
    /// `whole`: it ended by itself, not by a signal that may have come too early to tell anything.
    void ended(const Process& process, bool whole);
    /// A call, and how long it was since the task's last exit stop. True where no process of the tree has
    /// made it before.
    bool saw(Process& process, Syscall call, std::chrono::nanoseconds outside);
    /// That it has come to its exit stop.
    static void returned(Process& process, std::chrono::nanoseconds inside) {
        process.window.inside += std::min<std::chrono::nanoseconds>(inside, QuietWindow::longest_inside);
    }

    [[nodiscard]] bool may_run(const Process& process) const {
        return ptrace::may_run(process.habits, patience_);
    }
    [[nodiscard]] SyscallSet known_to(const Process& process) const {
        const SyscallSet& learnt = by_program_ ? process.program->calls : census_;
        return beforehand_ | (learnable_ ? learnt & *learnable_ : learnt);
    }

    /// Whether a process that begins now could make the call without a stop, were it known.
    [[nodiscard]] bool learnable(Syscall call) const { return !learnable_ || learnable_->contains(call); }

  private:
    Program& program_of(const Process& process);
    Process* creator_of(const Process& process);
    [[nodiscard]] bool can_be_learnt(Syscall call);
    void news(Process& process);

    SyscallSet beforehand_;
    std::optional<SyscallSet> learnable_;
    bool by_program_;
    double patience_;
    SyscallSet census_;
    std::size_t unnamed_calls_ = 0;  // in it
    ProcessTree tree_;               // of all processes, those too whose calls are not recorded
    std::deque<Program> programs_;   // by the tree's indexes of executables
    std::deque<Process> processes_;  // by their places in the tree
    std::uint32_t next_serial_ = 1;
};

}  // namespace callcensus::ptrace
