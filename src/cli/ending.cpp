#include "cli/ending.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/signals.hpp"
#include "cli/messages.hpp"

namespace callcensus::cli {

int end_as(const ExitStatus& status) {
    if (status.signal == 0) return status.code;
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);  // a core_pattern with a pipe disregards the limit
    exchange_action(status.signal, plain_action(SIG_DFL), nullptr);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, status.signal);
    ::kill(::getpid(), status.signal);  // raise(3) refuses the two signals that glibc keeps for itself
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    return 128 + status.signal;  // as an init process we are immune
}

int report_failed_exec(const std::string& command, const Outcome& outcome) {
    const int reason = outcome.exec_errno;
    if (reason == ENOENT && outcome.path.empty()) {
        say(command + (command.find('/') == std::string::npos ? ": command not found" : ": no such file"));
        return not_found;
    }
    if (reason == ENOENT) {
        say(command +
            ": cannot be executed: its interpreter (after #!) or its dynamic loader does not exist");
        return not_found;
    }
    const std::string why = reason == EISDIR    ? "it is a directory"
                            : reason == ENOEXEC ? "it is neither a program for this machine nor a script"
                                                : std::strerror(reason);
    say(command + ": cannot be executed: " + why);
    return cannot_execute;
}

}  // namespace callcensus::cli
