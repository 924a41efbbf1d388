#include "cli/status_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "abi/known_call.hpp"

namespace callcensus::cli {
namespace {

// The line stands below the cursor, so that what the target has written of its own line so far (a question, a
// progress bar) stays, and typing goes on after it. Room for it is made by an index and a reverse index: the
// screen scrolls where the cursor is on the last line.
const std::string make_room = "\033D\033M";
const std::string save = "\0337", restore = "\0338";
const std::string line_below = "\033[B\r";
const std::string erase_to_the_end = "\033[J";

void put(const std::string& text) {
    // A terminal that is gone is no reason to fail.
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

bool in_line_mode_and_ours() {
    termios mode{};
    return ::tcgetattr(STDERR_FILENO, &mode) == 0 && (mode.c_lflag & ICANON) != 0 &&
           (mode.c_lflag & ECHO) != 0 && ::tcgetpgrp(STDERR_FILENO) == ::getpgrp();
}

// Lines that the target has not read yet: their echo has moved the cursor onto our line or below it.
bool lines_typed_ahead() {
    int waiting = 0;
    return ::isatty(STDIN_FILENO) == 1 && ::ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0;
}

const KnownCall& read_call() {
    static const KnownCall call("read");
    return call;
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
    put(lines_typed_ahead() ? erase_to_the_end + make_room : make_room);
    put(save + line_below + erase_to_the_end + line + restore);
    shown_ = true;
}

void StatusLine::wipe() {
    if (!shown_) return;
    put(lines_typed_ahead() ? erase_to_the_end : save + line_below + erase_to_the_end + restore);
    shown_ = false;
}

void StatusLine::note(const SyscallSeen& seen) {
    static const KnownCall write_call("write"), writev_call("writev");
    const std::uint64_t fd = seen.arguments[0];
    // Standard output and error; a terminal opened anew (/dev/tty) is rare enough.
    if ((write_call.is(seen.call) || writev_call.is(seen.call)) && (fd == 1 || fd == 2)) wipe();
    if (read_call().is(seen.call) && fd == 0) reader_ = seen.task;
}

void StatusLine::note(const SyscallReturned& returned) {
    if (!shown_ || !(returned.task == reader_) || !read_call().is(returned.call)) return;
    if (::isatty(STDIN_FILENO) != 1) return;
    put(erase_to_the_end);
    shown_ = false;
}

}  // namespace callcensus::cli
