/// What `callcensus verify` found, for people and for machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/profile_text.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/unused.hpp"
#include "callcensus/verify_findings.hpp"

namespace callcensus {

/// How the calls came about that were held against the profile.
enum class VerifyMode : std::uint8_t { audit, enforce, recording };
/// "audit", "enforce", "recording".
[[nodiscard]] std::string_view to_string(VerifyMode mode);

struct VerifyReport {
    std::string file;  ///< of the profile
    const Profile& profile;
    const ProfileText* text = nullptr;  ///< for lines and columns; null where the format has none
    VerifyMode mode = VerifyMode::audit;
    std::string subject;  ///< the command line, or the names of recordings
    std::vector<VerifyFinding> findings;
    std::optional<std::vector<UnusedAllowance>> unused;  ///< where it was asked for
    Milliseconds duration{};
    std::size_t processes = 0;
    std::optional<ExitStatus> status;  ///< of the command
    std::vector<std::string> gaps;     ///< what could not be seen: a call more may be denied
    std::vector<std::string> notes;
};

/// How many findings are denials for certain (is_denial()).
[[nodiscard]] std::size_t denials_in(const VerifyReport& report);

[[nodiscard]] std::string verify_text(const VerifyReport& report);
[[nodiscard]] std::string verify_json(const VerifyReport& report);
/// A test case for each finding, failed where it is a denial; one that has passed where there is none.
[[nodiscard]] std::string verify_junit(const VerifyReport& report);
[[nodiscard]] std::string verify_sarif(const VerifyReport& report);

}  // namespace callcensus
