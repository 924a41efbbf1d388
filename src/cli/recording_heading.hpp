// What a recorder cannot know of a recording: who made it, where, of what; and what became of it at the end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/recording.hpp"

namespace callcensus::cli {

struct RecordingHeading {
    std::string engine;
    std::vector<std::string> command;
    std::chrono::system_clock::time_point started = std::chrono::system_clock::now();

    void put_on(Recording& recording) const;
};

/// The gap that tasks leave which were let go alive.
[[nodiscard]] std::string gap_of_let_go(std::size_t tasks);

}  // namespace callcensus::cli
