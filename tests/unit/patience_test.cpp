#include "record/ptrace/patience.hpp"

#include <unistd.h>

#include "catch.hpp"
#include "record/ptrace/learner.hpp"

namespace patience_test {

using namespace callcensus;
using namespace callcensus::ptrace;
using namespace std::chrono_literals;

namespace {

// All for each call.
QuietWindow window(std::chrono::nanoseconds elapsed, std::chrono::nanoseconds outside,
                   std::chrono::nanoseconds inside) {
    return {elapsed * QuietWindow::length, outside * QuietWindow::length, inside * QuietWindow::length};
}

constexpr Syscall old_call{Abi::x86_64, 110}, second_call{Abi::x86_64, 1}, fresh{Abi::x86_64, 5000};

}  // namespace

TEST_CASE("a window counts by how much the process suffers from its stops") {
    const double tight_loop = weight(window(17us, 9us, 8us));
    const double loading_modules = weight(window(50us, 40us, 10us));
    CHECK(tight_loop == 1);
    CHECK(loading_modules < tight_loop / 2);
    CHECK(loading_modules > 0);
    // Wakened a hundred times a second: may go on like that for a day before its work begins.
    CHECK(weight(window(10ms, 20us, 200us)) == 0);
    // Stops across processors make a tight loop slow, but no less tight.
    CHECK(weight(window(100us, 52us, 48us)) == 1);
}

TEST_CASE("a process is released when it has been hot and quiet for long enough") {
    CHECK_FALSE(may_run({.quiet_windows = 3}, 1));
    CHECK(may_run({.quiet_windows = 4}, 1));
    CHECK_FALSE(may_run({.quiet_windows = 4}, 2));
    CHECK(may_run({}, 0));
}

TEST_CASE("a program that brought nothing new again and again is released at once") {
    CHECK_FALSE(may_run({.quiet_runs = 1}, 1));
    CHECK(may_run({.quiet_runs = 2}, 1));
}

TEST_CASE("a process that starts others is released later, since they inherit its filter") {
    CHECK_FALSE(may_run({.quiet_windows = 4, .starts_others = true}, 1));
    CHECK_FALSE(may_run({.starts_others = true, .quiet_runs = 3}, 1));
    CHECK_FALSE(may_run({.starts_others = true, .quiet_children = 19}, 1));
    CHECK(may_run({.starts_others = true, .quiet_children = 20}, 1));
    CHECK(may_run({.starts_others = true, .quiet_runs = 4}, 1));
    CHECK(may_run({.quiet_windows = 20, .starts_others = true}, 1));
}

TEST_CASE("what is known is the census, or what the program has been seen to make") {
    for (const bool by_program : {false, true}) {
        Learner learner({fresh}, by_program, 1);
        auto& shell = learner.started(10, 0, "/bin/sh");
        auto& child = learner.started(11, 10, "");
        CHECK(child.program == shell.program);
        learner.execed(child, "/bin/true");
        CHECK(learner.saw(shell, old_call, {}));
        CHECK_FALSE(learner.saw(child, old_call, {}));
        CHECK(learner.saw(child, second_call, {}));
        CHECK(learner.known_to(child) == SyscallSet{second_call, old_call, fresh});
        CHECK(learner.known_to(shell) ==
              (by_program ? SyscallSet{old_call, fresh} : SyscallSet{second_call, old_call, fresh}));
    }
}

TEST_CASE("runs of a program count when they were whole and brought nothing new") {
    Learner learner({}, false, 1);
    learner.started(10, 0, "/bin/sh");
    const auto run = [&](bool whole) {
        auto& child = learner.started(11, 10, "");
        learner.execed(child, "/bin/true");
        learner.saw(child, old_call, {});
        const bool might = learner.may_run(child);
        learner.ended(child, whole);
        return might;
    };
    CHECK_FALSE(run(true));   // brings old_call
    CHECK_FALSE(run(false));  // killed: tells nothing
    CHECK_FALSE(run(true));
    CHECK_FALSE(run(true));
    CHECK(run(true));
    auto& child = learner.started(11, 10, "");
    learner.execed(child, "/bin/true");
    CHECK(learner.may_run(child));
    learner.saw(child, second_call, {});  // something new after all
    CHECK_FALSE(learner.may_run(child));
    learner.ended(child, true);
    CHECK_FALSE(run(true));
}

TEST_CASE("news of a descendant speaks against letting its ancestors run") {
    Learner learner({}, false, 1);
    auto& shell = learner.started(10, 0, "/bin/sh");
    for (pid_t pid = 100; pid < 120; ++pid) {
        auto& child = learner.started(pid, 10, "");
        learner.execed(child, "/bin/true");
        learner.ended(child, true);
    }
    CHECK(learner.may_run(shell));
    auto& child = learner.started(300, 10, "");
    auto& grandchild = learner.started(301, 300, "");
    learner.execed(grandchild, "/bin/false");
    learner.saw(grandchild, fresh, {});
    CHECK_FALSE(learner.may_run(shell));
    CHECK(child.had_news);
}

TEST_CASE("a pid that is used again by a descendant makes no circle") {
    Learner learner({}, false, 1);
    auto& first = learner.started(20, 1, "/bin/sh");
    auto& daemon = learner.started(10, 20, "");
    learner.ended(first, true);
    auto& child = learner.started(20, 10, "");  // the first one's pid
    learner.execed(child, "/bin/true");
    learner.saw(child, fresh, {});  // news travel up, and come to an end
    CHECK(daemon.had_news);
    learner.ended(child, true);
    CHECK(daemon.habits.quiet_children == 1);
}

TEST_CASE("calls in a row without news are counted in windows") {
    Learner learner({}, false, 1);
    auto& process = learner.started(::getpid(), 0, "/bin/loop");
    learner.saw(process, old_call, {});
    for (std::uint32_t i = 0; i < QuietWindow::length - 1; ++i) learner.saw(process, old_call, {});
    CHECK(process.habits.quiet_windows == 0);
    learner.saw(process, old_call, {});
    CHECK(process.habits.quiet_windows > 0);
    learner.saw(process, second_call, {});
    CHECK(process.habits.quiet_windows == 0);
}

}  // namespace patience_test
