#include "record/ptrace/patience.hpp"

namespace callcensus::ptrace {
namespace {

using std::chrono::nanoseconds;

// Processor time for each call, the two stops included. Of a tight loop it was measured at 5 us with the
// tracer on the same processor and up to 20 across processors (waking an idle virtual one is dear), of
// python's imports at 35 and more, of a compiler at 50 and more.
constexpr nanoseconds computes{25'000};
// Slower than that on average: it waits for something, and its stops do not matter.
constexpr nanoseconds waits{1'000'000};

constexpr double windows_needed = 4;
constexpr double weight_when_computing = 0.1;

// A process that starts others, until it is let run for what it does itself.
constexpr double windows_needed_by_parents = 20;
constexpr double children_needed = 20;
constexpr double runs_needed = 2;
constexpr double runs_needed_by_parents = 4;

}  // namespace

double weight(const QuietWindow& window) {
    if (window.elapsed > waits * QuietWindow::length) return 0;
    return window.processor_time > computes * QuietWindow::length ? weight_when_computing : 1;
}

bool may_run(const Habits& habits, double patience) {
    if (habits.starts_others)
        return habits.quiet_windows >= windows_needed_by_parents * patience ||
               habits.quiet_children >= children_needed * patience ||
               habits.quiet_runs >= runs_needed_by_parents * patience;
    return habits.quiet_windows >= windows_needed * patience || habits.quiet_runs >= runs_needed * patience;
}

}  // namespace callcensus::ptrace
