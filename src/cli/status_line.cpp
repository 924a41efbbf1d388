#include "cli/status_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace callcensus::cli {
namespace {

// The line stands below the cursor, so that what the target has written so far (a question without a newline)
// stays, and typing goes on behind it. The cursor is behind the last thing that the target wrote: nothing but
// our line can be below it, also when it has moved down onto our line since.
const std::string make_room =
    "\033D\033M";  // index, reverse index: scrolls where the cursor is on the last line
const std::string wipe_below = "\033[J";

void put(const std::string& text) {
    // A terminal that is gone is no reason to fail.
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

bool in_line_mode_and_ours() {
    termios mode{};
    return ::tcgetattr(STDERR_FILENO, &mode) == 0 && (mode.c_lflag & ICANON) != 0 &&
           (mode.c_lflag & ECHO) != 0 && ::tcgetpgrp(STDERR_FILENO) == ::getpgrp();
}

std::size_t width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
}

}  // namespace

std::string clock_text(Milliseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    if (seconds >= 3600)
        return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

bool StatusLine::possible() { return ::isatty(STDERR_FILENO) == 1; }

void StatusLine::show(Milliseconds elapsed, std::size_t processes, std::size_t calls,
                      std::optional<Milliseconds> last_news) {
    if (elapsed < first_shown_after || !in_line_mode_and_ours()) return;
    std::string line =
        fmt::format("callcensus {}  processes {}  calls {}  last new one {} ago", clock_text(elapsed),
                    processes, calls, clock_text(last_news ? elapsed - *last_news : elapsed));
    line.resize(std::min(line.size(), width()));
    put(make_room + wipe_below + "\0337\033[B\r" + line + "\0338");
    shown_ = true;
}

void StatusLine::wipe() {
    if (!shown_) return;
    put(wipe_below);
    shown_ = false;
}

void StatusLine::wipe_before_output(const SyscallSeen& seen) {
    const std::string name = syscall_name(seen.call);
    // Standard output and error; a terminal opened anew (/dev/tty) is rare enough.
    if ((name == "write" || name == "writev") && (seen.arguments[0] == 1 || seen.arguments[0] == 2)) wipe();
}

}  // namespace callcensus::cli
