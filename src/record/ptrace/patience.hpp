// How long a process is watched at every call before a filter lets it run: the adaptive engine's one policy,
// a pure function of what was seen of the process.
//
// A filter cannot be taken back. Too early, and a call that becomes frequent only afterwards stops the
// process each time, for ever; too late, and every call costs two stops until then. What tells that a
// process has shown all it does:
//
// * It goes on and on without a call that is new to its program. A program that calls hardly anything but the
//   kernel suffers most from being stopped, and a few thousand quiet calls settle it. One that computes
//   between its calls (loading modules, compiling) suffers little and is likely to be in a phase that will
//   end, so it is watched ten times longer. One that hardly calls at all costs nothing to watch.
// * Its program has been seen to the end before, repeatedly, without anything new.
// * For a process that starts others the question is what these will do: they inherit its filter.
//   So its own calls count little, and a long row of children without news counts.
//
// The constants were chosen by replaying call sequences of the programs named in docs/performance.md.
#pragma once

#include <chrono>
#include <cstdint>

namespace callcensus::ptrace {

/// A stretch of a process's calls, none of them new to its program.
struct QuietWindow {
    static constexpr std::uint32_t length = 512;  ///< calls
    /// A call that waits tells nothing of what a stop costs, nor does a long computation.
    static constexpr std::chrono::microseconds longest_inside{200};
    static constexpr std::chrono::milliseconds longest_outside{1};

    std::chrono::nanoseconds elapsed{};
    /// Sums over the calls, as the tracer sees them: from the exit stop before to the entry stop, and from
    /// there to the exit stop. Both hold the cost of a stop, and so their difference is what the process does
    /// itself.
    std::chrono::nanoseconds outside{};
    std::chrono::nanoseconds inside{};
};

/// What is known of a process and of the program that it runs. News is a call new to the program that made
/// it.
struct Habits {
    double quiet_windows = 0;          ///< in a row, each weighted by weight()
    bool starts_others = false;        ///< it has created a process, or its program did in an earlier run
    std::uint32_t quiet_children = 0;  ///< of it, in a row, that ended without news
    std::uint32_t quiet_runs = 0;      ///< of its program, in a row, from an exec to the end without news
};

/// What a window counts: 1 for a process that does little but call.
[[nodiscard]] double weight(const QuietWindow& window);

/// Whether the process is to be released. `patience` stretches (above 1) or shortens all that is waited for;
/// 0 lets everything run at once.
[[nodiscard]] bool may_run(const Habits& habits, double patience);

}  // namespace callcensus::ptrace
