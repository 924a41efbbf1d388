#include "callcensus/finding.hpp"

#include <array>

namespace callcensus {
namespace {

constexpr std::array<std::string_view, 3> severities{"note", "warning", "error"};

}  // namespace

std::string_view to_string(Severity severity) { return severities.at(static_cast<std::size_t>(severity)); }

std::optional<Severity> find_severity(std::string_view text) {
    for (std::size_t i = 0; i < severities.size(); ++i)
        if (severities[i] == text) return static_cast<Severity>(i);
    return std::nullopt;
}

}  // namespace callcensus
