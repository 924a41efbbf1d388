// Text from files and command lines may hold anything, and goes to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace callcensus {

/// One line, and no commands for the terminal: control characters become \x1b and the like.
[[nodiscard]] inline std::string printable(std::string_view line) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string shown;
    for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            shown += c;
        else
            shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
    return shown;
}

}  // namespace callcensus
