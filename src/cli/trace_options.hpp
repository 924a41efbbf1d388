// What `callcensus trace` is told to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/format_options.hpp"
#include "cli/policy_options.hpp"
#include "cli/target_options.hpp"

namespace callcensus::cli {

struct TraceOptions {
    TargetOptions target;
    bool suspend_seccomp = false;
    std::string output;
    std::string recording;
    bool count = false;
    std::optional<double> patience;
    std::vector<std::string> known;
    bool quiet = false;
    bool json = false;
    FormatOptions format;
    PolicyOptions policy;
};

}  // namespace callcensus::cli
