// The options that say in which format a profile is written, the same wherever one is.
#pragma once

#include <string>
#include <vector>

#include "callcensus/format.hpp"
#include "callcensus/result.hpp"
#include "cli/command_line.hpp"

namespace callcensus::cli {

struct FormatOptions {
    std::string format{default_format};
    bool lossy = false;
    std::string abi;  // its id; empty: the first of the profile's

    /// `option` is "--format" or "--to".
    Option add_to(CommandLine& command, const std::string& option, const std::string& group);

    /// "seccomp.json" and the like.
    [[nodiscard]] std::string default_output() const;

    /// The text of a file. A loss is an error unless --lossy. `source` is what the profile is made from, for
    /// a comment and for messages; `output` where it goes, for its name.
    [[nodiscard]] Result<Written> write(const Profile& profile, const std::string& source,
                                        const std::string& output, const Machine& machine) const;
};

/// What the files lack, each loss once.
[[nodiscard]] std::vector<std::string> all_losses(const std::vector<Written>& files);
void warn_of_loss(const FormatOptions& options, const std::string& loss);

}  // namespace callcensus::cli
