// Calls that a libc or another program tries first, and goes on from when the kernel does not know them.
#pragma once

#include <span>
#include <string_view>

namespace callcensus {

/// ENOSYS says that the kernel does not know the call; any other error is taken for the call's own, unless
/// `from_any_error`. Where a denial kills there is nothing to go on from.
struct Fallback {
    std::string_view name;
    std::string_view older;  ///< words: any of them does the job; empty: the caller does without
    bool from_any_error;
    std::string_view user;  ///< who does so, as a sentence
};

[[nodiscard]] std::span<const Fallback> all_fallbacks();

/// Null for calls that nobody goes on from.
[[nodiscard]] const Fallback* find_fallback(std::string_view name);

}  // namespace callcensus
