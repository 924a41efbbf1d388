// A run is over and cannot be had again: when its results cannot be written where they should be, what was
// recorded goes wherever there is room.
#pragma once

#include <string>
#include <string_view>

namespace callcensus {

/// Writes the text of a recording into a new file in the directory of `beside`, or in one for temporary
/// files. Its path; empty where there is room nowhere.
[[nodiscard]] std::string salvage(std::string_view recording, const std::string& beside);

}  // namespace callcensus
