// The line that shows, on a terminal, how a recording comes along. It shares the terminal with the target and
// keeps out of its way: it appears only after a while, only while the terminal is in its ordinary line mode
// (no editor, no password prompt) and we are in the foreground, and it is wiped before the target writes.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "callcensus/event.hpp"
#include "callcensus/recording.hpp"

namespace callcensus::cli {

class StatusLine {
  public:
    static constexpr std::chrono::milliseconds interval{250};
    static constexpr Milliseconds first_shown_after{1000};

    /// Whether standard error is a terminal at all.
    [[nodiscard]] static bool possible();

    void show(Milliseconds elapsed, std::size_t processes, std::size_t calls,
              std::optional<Milliseconds> last_news);
    void wipe();
    /// Wipes it when that call is about to write to the terminal.
    void note(const SyscallSeen& seen);
    /// Wipes it when a line has been typed, whose echo has moved the cursor onto ours.
    void note(const SyscallReturned& returned);

  private:
    bool shown_ = false;
    TaskId reader_;  // the last one to read standard input
};

/// "0:07", "12:34", "1:02:03".
[[nodiscard]] std::string clock_text(Milliseconds time);

}  // namespace callcensus::cli
