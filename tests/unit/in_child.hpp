// What changes a whole process is tested in a child of the test.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

/// Whether the function returns true in a child that then ends without any destructor of the test's.
template <class Function>
bool in_child(const Function& function) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(function() ? 0 : 1);
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}
