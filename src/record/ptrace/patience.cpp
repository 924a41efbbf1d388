#include "record/ptrace/patience.hpp"

namespace callcensus::ptrace {
namespace {

using std::chrono::nanoseconds;

// Between one call and the next, beyond what the stops take. Measured: tight loops nothing, python's imports
// 25 us, a compiler 40. Not processor time: what a stop costs of that depends on which processor the tracer
// is on.
constexpr nanoseconds computes{10'000};
// Slower than that on average: it waits for something, and its stops do not matter.
constexpr nanoseconds waits{1'000'000};

constexpr double windows_needed = 4;
constexpr double weight_when_computing = 0.1;

// A process that starts others, until it is released for what it does itself.
constexpr double windows_needed_by_parents = 20;
constexpr double children_needed = 20;
constexpr double runs_needed = 2;
constexpr double runs_needed_by_parents = 4;

}  // namespace

double weight(const QuietWindow& window) {
    if (window.elapsed > waits * QuietWindow::length) return 0;
    return window.outside - window.inside > computes * QuietWindow::length ? weight_when_computing : 1;
}

bool may_run(const Habits& habits, double patience) {
    if (habits.starts_others)
        return habits.quiet_windows >= windows_needed_by_parents * patience ||
               habits.quiet_children >= children_needed * patience ||
               habits.quiet_runs >= runs_needed_by_parents * patience;
    return habits.quiet_windows >= windows_needed * patience || habits.quiet_runs >= runs_needed * patience;
}

}  // namespace callcensus::ptrace
