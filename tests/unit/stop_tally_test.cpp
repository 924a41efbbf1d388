#include "record/ptrace/stop_tally.hpp"

#include "catch.hpp"

namespace stop_tally_test {

using namespace callcensus;
using callcensus::ptrace::StopTally;

namespace {

Syscall call(const char* name) { return {Abi::x86_64, *syscall_number(Abi::x86_64, name)}; }

void stop(StopTally& tally, const std::string& executable, const char* name, std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) tally.after_release(executable, call(name));
}

}  // namespace

TEST_CASE("few stops are not worth a word") {
    StopTally tally;
    CHECK(tally.notes().empty());
    stop(tally, "/bin/a", "read", StopTally::worth_telling - 1);
    stop(tally, "/bin/b", "read", StopTally::worth_telling - 1);
    for (std::uint64_t i = 1; i < StopTally::worth_telling; ++i) tally.under_own_filter("/bin/a");
    CHECK(tally.notes().empty());
}

TEST_CASE("a call that became frequent after the release is named, with its program") {
    StopTally tally;
    stop(tally, "/usr/bin/node", "read", 1000);
    stop(tally, "/usr/bin/node", "pselect6", 5000);
    stop(tally, "/usr/bin/node", "write", 999);
    stop(tally, "/bin/sh", "write", 999);
    const auto notes = tally.notes();
    REQUIRE(notes.size() == 1);
    CHECK(notes[0] ==
          "pselect6 stopped 5000 times, read 1000 times after /usr/bin/node was released: it had not made "
          "these calls before; --known FILE with what this run has found avoids that");
}

TEST_CASE("of many such calls the most frequent are named") {
    StopTally tally;
    std::uint64_t times = 1000;
    for (const char* name : {"read", "write", "close", "lseek", "getpid"}) stop(tally, "a", name, times++);
    const auto notes = tally.notes();
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].rfind("getpid stopped 1004 times, lseek 1003 times, close 1002 times and 2 more calls as "
                         "often after a was released",
                         0) == 0);
}

TEST_CASE("a program under a filter of its own is named") {
    StopTally tally;
    for (std::uint64_t i = 0; i < 1500; ++i) tally.under_own_filter("/usr/bin/bwrap");
    CHECK(tally.notes() == std::vector<std::string>{
                               "/usr/bin/bwrap stopped at each of 1500 calls, since a seccomp filter of the "
                               "target's own is in force: it cannot run freely then"});
}

}  // namespace stop_tally_test
