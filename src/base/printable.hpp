// Text from files and command lines may hold anything, and goes to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace callcensus {

/// One line, and no commands for the terminal: control characters become \x1b and the like.
[[nodiscard]] inline std::string printable(std::string_view line) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string shown;
    const auto escape = [&](unsigned char byte) {
        shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    };
    for (std::size_t at = 0; at < line.size(); ++at) {
        const auto byte = static_cast<unsigned char>(line[at]);
        const auto next = static_cast<unsigned char>(at + 1 < line.size() ? line[at + 1] : 0);
        // U+0080 to U+009F in UTF-8: U+009B begins commands as ESC [ does.
        const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
        if (byte >= 0x20 && byte != 0x7f && !is_c1) {
            shown += line[at];
            continue;
        }
        escape(byte);
        if (!is_c1) continue;
        escape(next);
        ++at;
    }
    return shown;
}

}  // namespace callcensus
