// What the program says, all of it on standard error, and the statuses of its own that it ends with.
#pragma once

#include <string>

#include "callcensus/result.hpp"

namespace callcensus::cli {

/// As env(1), timeout(1) and shells have them.
constexpr int failed = 125;
constexpr int cannot_execute = 126;
constexpr int not_found = 127;

/// `callcensus: …`
void say(const std::string& line);
/// The line alone.
void say_plain(const std::string& line);
/// Says the error and returns the status to end with.
int complain(const Error& error);

}  // namespace callcensus::cli
