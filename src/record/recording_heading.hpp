// What a recorder cannot know of a recording: who made it, where, of what; and what became of it at the end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/recording.hpp"

namespace callcensus {

struct RecordingHeading {
    std::string engine;
    std::vector<std::string> command;
    std::chrono::system_clock::time_point started = std::chrono::system_clock::now();

    void put_on(Recording& recording) const;
};

/// How often a recording that grows is written: should the recorder be killed outright, what was seen by then
/// is on disk.
constexpr std::chrono::seconds snapshot_interval{10};
/// The gap of one that was written so, while `what` ran.
[[nodiscard]] std::string gap_of_snapshot(std::string_view what);
/// The gap that tasks leave which were let go alive.
[[nodiscard]] std::string gap_of_let_go(std::size_t tasks);

}  // namespace callcensus
