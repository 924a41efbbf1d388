/// Explanations for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "callcensus/explain.hpp"
#include "callcensus/profile_text.hpp"

namespace callcensus {

/// What a profile says of one call on one ABI.
struct Explanation {
    Syscall call{};
    std::vector<Reading> readings;
};

struct ExplainReport {
    std::string file;
    const Profile& profile;
    const ProfileText* text = nullptr;  ///< for lines and columns; null where the format has none
    std::vector<Explanation> explanations;
};

[[nodiscard]] std::string explain_text(const ExplainReport& report);
[[nodiscard]] std::string explain_json(const ExplainReport& report);

}  // namespace callcensus
