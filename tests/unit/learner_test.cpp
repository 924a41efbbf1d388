#include "record/ptrace/learner.hpp"

#include "catch.hpp"

namespace learner_test {

using namespace callcensus;
using callcensus::ptrace::Learner;

namespace {

constexpr Syscall one{Abi::x86_64, 1}, two{Abi::x86_64, 2}, three{Abi::x86_64, 3}, four{Abi::x86_64, 4};

}  // namespace

TEST_CASE("what is known is what was known beforehand and what was learnt") {
    Learner learner({one}, false, 1);
    auto& process = learner.started(7, 0, "/bin/a");
    auto& other = learner.started(8, 7, "/bin/b");
    CHECK(learner.known_to(process) == SyscallSet{one});
    CHECK(learner.saw(process, two, {}));
    CHECK_FALSE(learner.saw(other, two, {}));
    CHECK(learner.known_to(process) == SyscallSet{one, two});
    CHECK(learner.known_to(other) == SyscallSet{one, two});
}

TEST_CASE("what may not be learnt stays unknown, however often it is seen") {
    Learner learner({one}, false, 1, SyscallSet{two, four});
    auto& process = learner.started(7, 0, "/bin/a");
    CHECK(learner.saw(process, two, {}));
    CHECK(learner.saw(process, three, {}));
    CHECK_FALSE(learner.saw(process, three, {}));
    CHECK(learner.known_to(process) == SyscallSet{one, two});
}

TEST_CASE("nothing but what was known beforehand, where nothing may be learnt") {
    for (const bool by_program : {false, true}) {
        Learner learner({one}, by_program, 1, SyscallSet{});
        auto& process = learner.started(7, 0, "/bin/a");
        learner.saw(process, two, {});
        CHECK(learner.known_to(process) == SyscallSet{one});
    }
}

TEST_CASE(
    "by program, a process knows what its own executable was seen to call, as far as it may be learnt") {
    Learner learner({}, true, 1, SyscallSet{one, two});
    auto& a = learner.started(7, 0, "/bin/a");
    auto& b = learner.started(8, 7, "/bin/b");
    learner.saw(a, one, {});
    learner.saw(b, two, {});
    learner.saw(b, three, {});
    CHECK(learner.known_to(a) == SyscallSet{one});
    CHECK(learner.known_to(b) == SyscallSet{two});
    learner.execed(a, "/bin/b");
    CHECK(learner.known_to(a) == SyscallSet{two});
}

TEST_CASE("of numbers without a name so many are learnt, and those with one always") {
    Learner learner({}, false, 1);
    auto& process = learner.started(7, 0, "/bin/a");
    std::size_t news = 0;
    for (std::uint32_t number = 100'000; number < 110'000; ++number)
        news += learner.saw(process, {Abi::x86_64, number}, {}) ? 1 : 0;
    CHECK(news == 256);
    CHECK(learner.known_to(process).size() == 256);
    CHECK(learner.saw(process, one, {}));
    CHECK_FALSE(learner.saw(process, {Abi::x86_64, 100'000}, {}));
}

}  // namespace learner_test
