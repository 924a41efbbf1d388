// What `callcensus trace` is told to do.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/format_options.hpp"
#include "cli/policy_options.hpp"

namespace callcensus::cli {

constexpr std::string_view automatic = "auto";

struct TraceOptions {
    std::vector<std::string> attach;  // as they are written
    std::vector<pid_t> processes;     // to attach to
    bool container = false;
    bool suspend_seccomp = false;
    std::string output;
    std::string recording;
    std::string engine{automatic};
    bool count = false;
    bool keep_privileges = false;
    std::optional<double> patience;
    std::vector<std::string> known;
    bool quiet = false;
    bool json = false;
    bool until_exit = false;
    std::optional<double> timeout;     // seconds
    std::optional<double> kill_after;  // seconds
    FormatOptions format;
    PolicyOptions policy;
};

}  // namespace callcensus::cli
