// The options that say what a profile shall hold, the same wherever one is made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "callcensus/derive.hpp"
#include "callcensus/result.hpp"
#include "cli/command_line.hpp"

namespace callcensus::cli {

struct PolicyOptions {
    std::string baseline;
    bool observed_only = false;
    RuntimeSet runtime = RuntimeSet::any;
    bool no_exec = false;
    bool no_new_privileges = false;
    bool no_unseen = false;
    bool no_vdso = false;
    bool no_known = false;
    bool families = false;
    std::vector<std::string> only;
    std::vector<std::string> exclude;
    bool split = false;
    std::string default_action;
    std::string default_errno;

    void add_to(CommandLine& command);
    void add_selection_to(CommandLine& command);
    [[nodiscard]] Result<void> check_output(const std::string& output) const;
    /// Whether it matters which executable has made a call.
    [[nodiscard]] bool by_executable() const { return split || !only.empty() || !exclude.empty(); }
    /// Reads the baseline and checks everything: to be called before the target runs.
    [[nodiscard]] Result<DeriveOptions> resolve() const;
};

}  // namespace callcensus::cli
