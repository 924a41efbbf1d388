#include "cli/messages.hpp"

#include <unistd.h>

#include "base/file.hpp"
#include "base/printable.hpp"

namespace callcensus::cli {

void say_to_program(const std::string& line) {
    static_cast<void>(write_all(STDERR_FILENO, line + "\n", "standard error"));  // there is nobody to tell
}

void say(const std::string& line) { say_to_program("callcensus: " + printable(line)); }

void say_error(const Error& error) { say(error.text()); }

int complain(const Error& error, int status) {
    say_error(error);
    return status;
}

}  // namespace callcensus::cli
