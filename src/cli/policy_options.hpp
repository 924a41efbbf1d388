// The options that say what a profile shall hold, the same wherever one is made.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "callcensus/derive.hpp"
#include "callcensus/result.hpp"

namespace callcensus::cli {

struct PolicyOptions {
    std::string baseline;
    bool observed_only = false;
    std::string runtime = "any";
    bool no_exec = false;
    bool no_unseen = false;
    bool no_vdso = false;
    std::string default_action;
    std::string default_errno;

    void add_to(CLI::App& app);
    /// Reads the baseline and checks everything: to be called before the target runs.
    [[nodiscard]] Result<DeriveOptions> resolve() const;
};

}  // namespace callcensus::cli
