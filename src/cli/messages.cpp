#include "cli/messages.hpp"

#include <iostream>

namespace callcensus::cli {

void say_plain(const std::string& line) { std::cerr << line + "\n" << std::flush; }

void say(const std::string& line) { say_plain("callcensus: " + line); }

int complain(const Error& error) {
    say(error.text());
    return failed;
}

}  // namespace callcensus::cli
