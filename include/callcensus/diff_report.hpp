/// A difference for people (text, Markdown for pull requests) and for pipelines (JSON, SARIF, JUnit).
#pragma once

#include <functional>
#include <string>

#include "callcensus/diff.hpp"

namespace callcensus {

struct DiffReport {
    std::string before;  // names of the files
    std::string after;
    const Difference& difference;
    /// Whether a change is one that makes the exit status 1.
    std::function<bool(const CallChange&)> counts;
    bool general_counts = false;  // whether what concerns all calls is: default, architectures, flags
};

[[nodiscard]] std::string diff_text(const DiffReport& report);
[[nodiscard]] std::string diff_json(const DiffReport& report);
[[nodiscard]] std::string diff_markdown(const DiffReport& report);
/// One result for each change, at the new file as a whole.
[[nodiscard]] std::string diff_sarif(const DiffReport& report);
/// One test case for each change, and one for what concerns all calls; those that count have failed.
[[nodiscard]] std::string diff_junit(const DiffReport& report);

}  // namespace callcensus
