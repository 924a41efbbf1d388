// A run is over and cannot be had again: when its results cannot be written where they should be, the
// recording goes wherever there is room.
#pragma once

#include <string>

#include "callcensus/recording.hpp"

namespace callcensus::cli {

/// Writes the recording into a new file in the directory of `beside`, or in one for temporary files. Its
/// path; empty where there is room nowhere.
[[nodiscard]] std::string salvage(const Recording& recording, const std::string& beside);

}  // namespace callcensus::cli
