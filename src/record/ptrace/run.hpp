// One run over a process tree: the event loop of both engines. Each turn takes one wait status, decodes it
// (stop.hpp) and acts on it; everything that happened to a task that is recorded leaves as an Event.
//
// Without a learner every call of every task stops, at its entry and at its exit. With one (the adaptive
// engine) that is how a process begins, until the learner finds that it has shown all it does: then a filter
// is loaded into it (injection.hpp) which lets the known calls through, and it is resumed so that only the
// filter and events stop it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/procfs.hpp"
#include "callcensus/recorder.hpp"
#include "record/ptrace/ending.hpp"
#include "record/ptrace/injection.hpp"
#include "record/ptrace/learner.hpp"
#include "record/ptrace/placement.hpp"
#include "record/ptrace/release.hpp"
#include "record/ptrace/signal_relay.hpp"
#include "record/ptrace/status_queue.hpp"
#include "record/ptrace/stop.hpp"
#include "record/ptrace/stop_tally.hpp"
#include "record/ptrace/stopped_task.hpp"
#include "record/ptrace/untraced_clone.hpp"

namespace callcensus::ptrace {

class Run {
  public:
    enum class Mode : std::uint8_t { every_call, adaptive };
    Run(const Target& target, const Plan& plan, Sink& sink, Mode mode);

    Result<Outcome> to_the_end();

  private:
    using Time = std::chrono::steady_clock::time_point;

    struct Process {
        pid_t pid = 0;
        std::uint32_t threads = 0;
        pid_t creator = 0;
        Release release;
        Learner::Process* learnt = nullptr;  // only with a learner
    };
    struct Task {
        TaskId id;
        Process* process = nullptr;
        bool recorded = false;              // its events are reported
        bool outside = false;               // of any container, so that only events need stop it
        bool arriving = false;              // seized and interrupted; its first stop has not come yet
        std::optional<Syscall> current;     // entered and not yet returned from
        std::optional<CloneFlags> cloning;  // where `current` is clone or clone3
        std::optional<CloneFlags> untraced_to_restore;  // inherited from its creator, until its first stop
        bool expects_child = false;  // in a call that creates a task, whose event has not come yet
        bool group_stopped = false;
        bool refuse_call = false;                  // `current` has been made void and shall fail with EPERM
        bool loads_filter = false;                 // `current` does
        std::uint32_t begun_again = 0;             // how often its last call, for EINTR
        std::optional<std::uint64_t> void_number;  // of `current`, made void as the target's own filter asks
        // Only with a learner:
        Time resumed;  // for the last time
        std::optional<Injection> injection;
        std::optional<StoppedTask> parked;  // until its process's injection is over
        // What it creates inherits the filter: it has been resumed since its process is released.
        bool surely_filtered = false;
    };
    static constexpr const char* filters_switched_off =
        "the seccomp filters of the target were switched off while it was recorded";

    // Starting (run_start.cpp)
    [[nodiscard]] long options() const;
    [[nodiscard]] Ending::Terms terms() const;
    Result<void> start(const Launch& target);
    Result<void> start(const Attach& target);
    Result<void> start(const Container& target);
    Result<void> seize(pid_t process);
    void launches_by(Syscall call, std::int64_t value, bool is_error, bool has_loaded_filter,
                     const StoppedTask& stopped, Task& task);
    void followed_from_here_on();
    void begin_the_deadlines();
    void arrived(const StoppedTask& stopped, Task& task);
    void count_arrival(Task& task);
    [[nodiscard]] bool records_only_containers() const;
    [[nodiscard]] bool is_inside_container(const Task& task) const;
    [[nodiscard]] bool has_other_root(pid_t tid) const;
    [[nodiscard]] bool is_outside_containers(const Task& task) const;
    [[nodiscard]] bool records_strangers(pid_t tid) const;
    void begin_recording(const StoppedTask& stopped, Task& task, const std::string& executable);

    // Acting on one status (run.cpp)
    [[nodiscard]] bool everything_has_ended();
    void act(Report report);
    Task* newcomer(pid_t tid);
    void hear_its_creator_first(pid_t child);
    void on(const Ended& ended, Task& task);
    void on(const SyscallStop& stop, StoppedTask stopped, Task& task);
    void on(const EventStop& stop, StoppedTask stopped, Task& task);
    void on(const GroupStop& stop, StoppedTask stopped, Task& task);
    void on(const TrapStop& stop, StoppedTask stopped, Task& task);
    void on(const SignalStop& stop, StoppedTask stopped, Task& task);
    void begin_call_again(const StoppedTask& stopped, Task& task);
    void resume(StoppedTask stopped, Task& task, int signal = 0);

    // System calls (run_calls.cpp). True where nobody in the tree has made that call before.
    bool entered(StoppedTask& stopped, Task& task, const __ptrace_syscall_info& info);
    void returned(StoppedTask& stopped, Task& task, std::int64_t value, bool is_error);
    void refuse_to_be_traced(StoppedTask& stopped, Task& task, const std::array<std::uint64_t, 6>& arguments);
    void trapped(StoppedTask& stopped, Task& task);
    void count_stop_of_released(const Task& task);
    void begins_to_load_filter(Task& task, bool on_all_threads);
    void resume_parked(const Process& process);
    static void drop_parked(Task& task);
    void created(Task& creator, pid_t child);
    void execed(StoppedTask& stopped, Task& task);

    // Releasing processes (run_calls.cpp)
    void consider_release(StoppedTask& stopped, Task& task);
    void go_on_injecting(StoppedTask& stopped, Task& task);
    void abandon_injection(Task& task);
    void injection_is_over(Task& task);
    [[nodiscard]] Scope scope_of(const Process& process) const;

    // The tree (run_tree.cpp)
    Task* find(pid_t tid);
    Task& begin(pid_t tid, pid_t process, const Task* creator, bool certain = true);
    void inherit(Process& process, const Task* creator, bool certain);
    Task* adopt(pid_t tid);
    void forget(pid_t tid, bool whole = false);
    void end_siblings(const Task& survivor, pid_t former_tid);

    // What comes from outside (run_requests.cpp)
    void take_signals();
    void relay(SignalRelay::Signal signal);
    void pass_on(SignalRelay::Signal signal);
    void carry_out(Ending::Step step, int signal = SIGTERM);
    void set_the_alarm() { signals_.wake_at(ending_.next_deadline()); }
    void end_on_request(int signal);
    void ask_to_end(int signal);
    void kill_everything();
    [[nodiscard]] bool is_to_be_killed(const Task& task) const {
        return ending_.is_to_be_killed(!task.recorded);
    }
    void let_everything_go();
    void consider_stopping_with_the_target();
    [[nodiscard]] bool main_is_alive() const { return !outcome_.status && !main_let_go_; }

    void emit(const Event& event);
    void tell_of_stops();

    const Target& target_;
    const Plan& plan_;
    Sink& sink_;
    std::optional<Learner> learner_;
    StopTally stops_;
    bool stops_told_ = false;
    SignalRelay signals_;
    StatusQueue statuses_;
    Ending ending_;
    Placement placement_;
    Outcome outcome_;

    pid_t self_ = ::getpid();
    std::optional<procfs::DirectoryId> own_root_;
    std::string own_mount_namespace_;
    pid_t main_ = 0;  // whose end and stops are the target's; 0 where it was attached to
    bool main_let_go_ = false;
    std::size_t arriving_ = 0;  // tasks
    int main_stopped_by_ = 0;   // the signal of its group-stop, until we have stopped too or it goes on

    std::unordered_map<pid_t, Task> tasks_;
    std::unordered_map<pid_t, Process> processes_;
    std::unordered_map<pid_t, CloneFlags> hidden_untraced_;  // by creator, while the call is under way
    std::unordered_multiset<pid_t> adopted_;                 // whose creator's event has not come yet
    std::uint32_t next_serial_ = 1;
};

}  // namespace callcensus::ptrace
