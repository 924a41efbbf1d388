// Records a container to its end, and writes its files: now and then, when its first process ends, and when
// the last one has ended.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "callcensus/collector.hpp"
#include "callcensus/recorder.hpp"
#include "container/hook_files.hpp"
#include "container/hook_job.hpp"
#include "record/recording_heading.hpp"

namespace callcensus {

/// What the recorder says through the pipe when it follows the container; anything else is why it cannot.
constexpr char follows_container = '\0';

/// What goes wrong after that is in the system's log.
class ContainerObserver final : public Sink {
  public:
    /// `job` and `files` must outlive it; the runtime waits at the other end of `pipe`.
    ContainerObserver(const HookJob& job, HookFiles& files, UniqueFd pipe);

    Verdict on(const Event& event) override;

    /// The run is over.
    void finish(const Result<Outcome>& outcome);

  private:
    [[nodiscard]] std::string of_container(const std::string& line) const;
    void tell_runtime(std::string_view what);
    [[nodiscard]] bool executes_the_command(const Event& event) const;
    [[nodiscard]] bool is_end_of_init(TaskId task) const;
    [[nodiscard]] Recording recording(const std::vector<std::string>& gaps) const;
    void write(const std::vector<std::string>& gaps, std::chrono::milliseconds wait);
    void save_elsewhere(const std::vector<std::string>& gaps) const;

    const HookJob& job_;
    HookFiles& files_;
    UniqueFd pipe_;
    RecordingHeading heading_;
    Collector collector_{Collector::Sites::recorded};
    bool executed_ = false;
    bool is_written_ = false;  // what had been seen by the last time
    std::optional<Milliseconds> last_tried_;
    bool had_survivors_ = false;
};

}  // namespace callcensus
