// Collects the events of `callcensus trace`, shows how things go, and saves a snapshot now and then: should
// we be killed outright, the recording so far is there.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/collector.hpp"
#include "callcensus/recorder.hpp"
#include "cli/status_line.hpp"
#include "cli/trace_options.hpp"
#include "record/recording_heading.hpp"

namespace callcensus::cli {

class TraceObserver final : public Sink {
  public:
    TraceObserver(const TraceOptions& options, const Target& target);

    Verdict on(const Event& event) override;

    void runs_under(std::string_view engine, const SyscallSet& known);
    /// How often it wants to be asked.
    [[nodiscard]] std::optional<std::chrono::milliseconds> tick_interval() const;

    [[nodiscard]] Recording recording() const;
    [[nodiscard]] std::size_t survivors() const { return survivors_; }
    void finish() { status_line_.wipe(); }

  private:
    void ended(const TaskExited& exited);
    void tick();
    [[nodiscard]] std::vector<pid_t> running_freely() const;
    [[nodiscard]] bool unseen_writers() const;
    void save_snapshot(Milliseconds now);

    const TraceOptions& options_;
    const Target& target_;
    RecordingHeading heading_;
    SyscallSet known_;  // beforehand
    Collector collector_{Collector::Sites::recorded};
    StatusLine status_line_;
    bool shows_status_;
    TaskId main_;
    std::size_t survivors_ = 0;
    Milliseconds last_snapshot_{};
};

}  // namespace callcensus::cli
