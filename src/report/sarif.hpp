// SARIF 2.1.0 (OASIS, March 2020), which code hosts show beside the lines of a pull request.
#pragma once

#include <string>
#include <vector>

#include "callcensus/finding.hpp"

namespace callcensus {

struct SarifRule {
    std::string id;
    std::string title;
    std::string help;  // a file of the repository with an explanation; empty for none
};

struct SarifResult {
    std::string rule_id;
    Severity severity = Severity::warning;
    std::string message;
    std::string file;
    Place place;  // without a line: the whole file
};

/// One run of callcensus. Results whose rule is not among the rules are fine, as the standard has it.
[[nodiscard]] std::string write_sarif(const std::vector<SarifRule>& rules,
                                      const std::vector<SarifResult>& results);

}  // namespace callcensus
