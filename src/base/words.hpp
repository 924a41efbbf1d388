// Tables hold their names as one string with a space between, so that a row stays a line or two.
#pragma once

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

}  // namespace callcensus
