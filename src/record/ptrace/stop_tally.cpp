#include "record/ptrace/stop_tally.hpp"

#include <algorithm>
#include <utility>

namespace callcensus::ptrace {
namespace {

constexpr std::size_t max_named = 3;

// "pselect6 stopped 200000 times, read 4000 times", the most frequent first.
std::string frequent(const std::map<Syscall, std::uint64_t>& stops) {
    std::vector<std::pair<std::uint64_t, std::string>> frequent;
    for (const auto& [call, count] : stops)
        if (count >= StopTally::worth_telling) frequent.emplace_back(count, name_or_number(call));
    std::stable_sort(frequent.begin(), frequent.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string text;
    for (std::size_t i = 0; i < std::min(frequent.size(), max_named); ++i)
        text += (text.empty() ? "" : ", ") + frequent[i].second + (text.empty() ? " stopped " : " ") +
                std::to_string(frequent[i].first) + " times";
    if (frequent.size() > max_named)
        text += " and " + std::to_string(frequent.size() - max_named) + " more calls as often";
    return text;
}

}  // namespace

std::vector<std::string> StopTally::notes() const {
    std::vector<std::string> lines;
    for (const auto& [executable, stops] : released_)
        if (const std::string calls = frequent(stops); !calls.empty())
            lines.push_back(calls + " after " + executable +
                            " was released: it had not made these calls before; --known FILE with what this "
                            "run has found avoids that");
    for (const auto& [executable, count] : filtered_)
        if (count >= worth_telling)
            lines.push_back(executable + " stopped at each of " + std::to_string(count) +
                            " calls, since a seccomp filter of the target's own is in force: it cannot run "
                            "freely then");
    return lines;
}

}  // namespace callcensus::ptrace
