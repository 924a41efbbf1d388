// Times as recordings have them. What is read is what was written: a time that cannot be kept is refused, and
// not made another.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "callcensus/recording.hpp"

namespace callcensus {

/// "2026-11-22T01:46:00.123Z", to the millisecond before.
[[nodiscard]] std::string write_time(std::chrono::system_clock::time_point time);

/// Empty for what looks otherwise, is no time (the 30th of February, 24:00:00), or lies outside what
/// 64 bits of nanoseconds hold, 1677-09-21 to 2262-04-11. Of a second one digit or more; beyond the third
/// they are dropped.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> read_time(std::string_view text);

/// To the nearest microsecond, which keeps a file free of seventeen-digit numbers. What is no finite number
/// is 0; what is too large to have microseconds stays as it is.
[[nodiscard]] double rounded(Milliseconds time);

}  // namespace callcensus
