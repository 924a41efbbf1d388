// What the program says, all of it on standard error, and the statuses of its own that it ends with.
#pragma once

#include <string>

#include "callcensus/result.hpp"

namespace callcensus::cli {

/// As env(1), timeout(1) and shells have them.
constexpr int failed = 125;
constexpr int cannot_execute = 126;
constexpr int not_found = 127;
/// Of commands that answer a question by their status, as diff(1) and grep(1) do: 0 is no, 1 yes, 2 trouble.
constexpr int trouble = 2;

/// `callcensus: …`
void say(const std::string& line);
/// A line for a program that reads our standard error, as it is: JSON, which is made fit for a terminal where
/// it is written (format/json_text.hpp).
void say_to_program(const std::string& line);
void say_error(const Error& error);
/// The same, and returns the status to end with.
int complain(const Error& error, int status = failed);

}  // namespace callcensus::cli
