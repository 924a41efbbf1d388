/// What a check found in a text: where, how bad, and how to mend it. The same for every check, so that one
/// report serves them all.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callcensus {

enum class Severity : std::uint8_t {
    note,     ///< worth knowing; nothing need be done
    warning,  ///< works, and most likely not as was meant
    error,    ///< refused by a consumer, or read as something else than what is written
};

/// "note", "warning", "error".
[[nodiscard]] std::string_view to_string(Severity severity);
[[nodiscard]] std::optional<Severity> find_severity(std::string_view text);

/// In a text, both from 1, columns in bytes; 0 where there is none.
struct Place {
    std::size_t line = 0;
    std::size_t column = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Finding {
    std::string code;  ///< stable: "CC201"
    Severity severity = Severity::note;
    Place place;
    std::string message;  ///< one sentence without a full stop
    std::string fix;      ///< one line: what to do about it

    friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace callcensus
