#include "base/printable.hpp"

#include <cstddef>

namespace callcensus {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr char32_t none = 0xffffffff;

struct Character {
    char32_t code = none;  // `none`: a byte that is no UTF-8
    std::size_t size = 1;  // in bytes
};

// The first character of what is not empty. https://www.unicode.org/versions/Unicode15.0.0/ch03.pdf, table
// 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF.
Character first_of(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
    char32_t code = lead & (0x7fU >> size);
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(at) & 0x3fU);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {};
    return {code, size};
}

bool is_shown_as_it_is(char32_t code) {
    if (code < 0x7f) return code >= 0x20;
    return code >= 0xa0 && code != none && code != 0x61c && code != 0x200e && code != 0x200f &&
           !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

// With the others as `replaced` has them.
template <class Replace>
std::string with_others(std::string_view text, Replace replaced) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character first = first_of(text);
        const std::string_view bytes = text.substr(0, first.size);
        if (is_shown_as_it_is(first.code))
            result += bytes;
        else
            replaced(result, first.code, bytes);
        text.remove_prefix(first.size);
    }
    return result;
}

}  // namespace

std::string printable(std::string_view line) {
    return with_others(line, [](std::string& shown, char32_t, std::string_view bytes) {
        for (const char c : bytes) {
            const auto byte = static_cast<unsigned char>(c);
            shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        }
    });
}

std::string without_controls(std::string_view text) {
    return with_others(text, [](std::string& result, char32_t, std::string_view bytes) {
        result.append(bytes.size(), ' ');
    });
}

std::string escaped_in_quotes(std::string_view text) {
    return with_others(text, [](std::string& result, char32_t code, std::string_view bytes) {
        if (code < 0x7f || code == none) {
            result += bytes;
            return;
        }
        result += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) result += digits[code >> shift & 15];
    });
}

}  // namespace callcensus
