// Which file a command names, as a shell would answer, and what becomes of it when it cannot be executed.
#pragma once

#include <string>
#include <vector>

namespace callcensus {

struct Command {
    std::string path;  // what to execute; empty where errnum says why there is nothing
    int errnum = 0;    // ENOENT: no such command; EACCES, EISDIR: found, but it cannot be executed
};

/// A name with a slash is a path; others are looked up in `search_path` (the value of PATH; its empty
/// elements are the working directory). A file that may not be executed is remembered but does not end the
/// search. POSIX, Shell Command Language 2.9.1.4.
[[nodiscard]] Command find_command(const std::string& name, const std::string& search_path);

/// PATH, or the system's default where it is not set (confstr(3)).
[[nodiscard]] std::string search_path();

/// Whether a file that execve refused with ENOEXEC is a script without `#!`, which shells and execvp run by
/// sh, and not a binary for some other machine: it has no NUL byte before its first newline, as shells test
/// it.
[[nodiscard]] bool is_script_for_sh(const std::string& path);

}  // namespace callcensus
