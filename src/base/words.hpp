// Words in a row. Tables hold their names as one string with a space between, so that a row stays a line or
// two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace callcensus {

/// The words of a text with exactly one space between them.
[[nodiscard]] inline std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = text.find(' ');
        words.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return words;
}

/// "1 file", "2 files"
[[nodiscard]] inline std::string counted(std::size_t number, std::string_view noun) {
    return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

/// "a, b, c"; of more than `most` only so many: "a, b and 7 more".
template <class Words>
[[nodiscard]] std::string listed(const Words& words, std::size_t most = SIZE_MAX) {
    std::string text;
    std::size_t count = 0;
    for (const std::string_view word : words) {
        if (count == most) return text + " and " + std::to_string(words.size() - most) + " more";
        text += count++ == 0 ? "" : ", ";
        text += word;
    }
    return text;
}

}  // namespace callcensus
