#include "cli/messages.hpp"

#include <iostream>

#include "base/printable.hpp"

namespace callcensus::cli {

void say_plain(const std::string& line) { std::cerr << printable(line) + "\n" << std::flush; }

void say(const std::string& line) { say_plain("callcensus: " + line); }

int complain(const Error& error, int status) {
    say(error.text());
    return status;
}

}  // namespace callcensus::cli
