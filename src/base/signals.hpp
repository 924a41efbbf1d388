// Signals by what they do to a process that does nothing about them. signal(7), "Standard signals" and
// "Real-time signals".
#pragma once

#include <csignal>
#include <vector>

namespace callcensus {

/// Those that end it by default and can be caught, real-time ones and those of is_kept_by_libc() included.
[[nodiscard]] const std::vector<int>& ending_signals();

/// Those by which the kernel answers a fault of the program itself, and abort(3). Somebody else can send
/// them, too.
[[nodiscard]] bool is_fault(int number);

/// 32 and 33 with glibc, for which sigaction(3) fails. They can be sent and then end a process like others.
[[nodiscard]] bool is_kept_by_libc(int number);

/// As sigaction(3), and also for what libc keeps for itself: these can be ignored or left to their default,
/// and what libc has put there stays. False where nothing was changed. `before` may be null.
bool exchange_action(int number, const struct sigaction& action, struct sigaction* before);

/// SIG_DFL or SIG_IGN.
[[nodiscard]] struct sigaction plain_action(void (*disposition)(int));

/// From here on results are written, whatever signal wants us to end by now (a supervisor that repeats
/// SIGTERM, a limit), and a reader that has gone away is an error to report.
void ignore_requests_to_end();

/// For a process whose parent may have left it with signals ignored or blocked that are no affair of its
/// parent any more: all that ends a process does so by default again. But a reader that has gone away is an
/// error.
void accept_requests_to_end();

}  // namespace callcensus
