// What somebody who misspelt a word most likely meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace callcensus {

/// Letters to insert, delete, replace, or exchange with their neighbour, to turn one word into the other;
/// upper and lower case are the same letter.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the smallest distance, the first of several; empty where none is within a third of the
/// word's length.
template <class Words>
[[nodiscard]] std::string nearest_word(std::string_view word, const Words& candidates) {
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string found;
    for (const auto& candidate : candidates) {
        const std::string_view text(candidate);
        const std::size_t longer = std::max(text.size(), word.size());
        if (longer - std::min(text.size(), word.size()) >= best) continue;
        if (const std::size_t distance = edit_distance(word, text); distance < best) {
            best = distance;
            found = text;
        }
    }
    return found;
}

}  // namespace callcensus
