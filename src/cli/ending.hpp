// How we end where the target has ended, or has not begun.
#pragma once

#include <string>

#include "callcensus/recorder.hpp"

namespace callcensus::cli {

/// Ends as the target did, so that a shell and make see no difference: does not return where it was ended by
/// a signal, save in an init process.
[[nodiscard]] int end_as(const ExitStatus& status);

/// Says why the command could not be executed. The status to end with, as env(1) has it.
[[nodiscard]] int report_failed_exec(const std::string& command, const Outcome& outcome);

}  // namespace callcensus::cli
