/// What lint found in files, for people and for machines.
#pragma once

#include <string>
#include <vector>

#include "callcensus/finding.hpp"
#include "callcensus/lint.hpp"

namespace callcensus {

struct LintedFile {
    std::string name;
    std::vector<Finding> findings;
};

/// `file:line:column: severity: message [CODE]`, below it the fix, and a line that counts.
[[nodiscard]] std::string lint_text(const std::vector<LintedFile>& files);
[[nodiscard]] std::string lint_json(const std::vector<LintedFile>& files);
[[nodiscard]] std::string lint_sarif(const std::vector<LintedFile>& files,
                                     const std::vector<LintCheck>& checks);

}  // namespace callcensus
