// For whom text is written. Text from files, command lines and the target may hold anything, and whatever we
// print may come to a terminal, which takes some characters for commands:
//
//     printable(name)          a person reads it: one line, and such characters are shown as \x1b
//     without_controls(text)   a comment in a file: one line, and there is a blank in their place
//     json_text(value)         a program reads it (format/json_text.hpp): nothing is lost
//     escaped_in_quotes(text)  the same of finished JSON or YAML, which holds them only in quotes: \u009b
//
// Such characters are: C0, DEL and C1 (U+009B begins commands as ESC [ does), alone or in UTF-8; what ends a
// line in Unicode; and what turns the direction of writing round, by which a line reads other than it is
// (CVE-2021-42574).
#pragma once

#include <string>
#include <string_view>

namespace callcensus {

/// Valid UTF-8 on one line: what is no UTF-8, and what a terminal does not show as it is, becomes \x9b, byte
/// by byte. A backslash stays as it is.
[[nodiscard]] std::string printable(std::string_view line);

/// Valid UTF-8 on one line, with a blank in place of each byte that printable() would escape.
[[nodiscard]] std::string without_controls(std::string_view text);

/// Of valid UTF-8: each such character from DEL on as \u and four digits, which JSON and a double-quoted
/// scalar of YAML both read back as the same. What comes before DEL, and everything else, stays.
[[nodiscard]] std::string escaped_in_quotes(std::string_view text);

}  // namespace callcensus
