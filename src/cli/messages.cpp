#include "cli/messages.hpp"

#include <fmt/format.h>

#include <iostream>

namespace callcensus::cli {

namespace {

// What comes from files and command lines may hold anything, and goes to a terminal: one line, and no
// commands for it.
std::string printable(const std::string& line) {
    std::string shown;
    for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            shown += c;
        else
            shown += fmt::format("\\x{:02x}", byte);
    }
    return shown;
}

}  // namespace

void say_plain(const std::string& line) { std::cerr << printable(line) + "\n" << std::flush; }

void say(const std::string& line) { say_plain("callcensus: " + line); }

int complain(const Error& error) {
    say(error.text());
    return failed;
}

}  // namespace callcensus::cli
