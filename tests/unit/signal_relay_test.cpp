#include "record/ptrace/signal_relay.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "catch.hpp"

namespace signal_relay_test {

using callcensus::ptrace::SignalRelay;

TEST_CASE("a relay that the system gives no timer says so") {
    const pid_t child = ::fork();
    if (child == 0) {
        // A timer takes one pending signal of the user's.
        const rlimit none{0, 0};
        if (::setrlimit(RLIMIT_SIGPENDING, &none) != 0) ::_exit(2);
        const auto possible = SignalRelay().can_wake();
        ::_exit(!possible && possible.error().errnum == EAGAIN ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(SignalRelay().can_wake());
}

}  // namespace signal_relay_test
