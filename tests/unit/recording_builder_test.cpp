#include "callcensus/recording_builder.hpp"

#include <cerrno>

#include "catch.hpp"

using namespace callcensus;

namespace {

// A clock that shows what the test sets.
struct Fixture {
    Milliseconds now{};
    RecordingBuilder builder{[this] { return now; }};

    void start(TaskId task, pid_t process, TaskId creator, const std::string& executable) {
        builder.on(TaskStarted{task, creator, process, executable});
    }
    void call(TaskId task, std::uint32_t number) {
        builder.on(SyscallSeen{task, {Abi::x86_64, number}, {}, 0, 0});
    }
    void result(TaskId task, std::uint32_t number, std::int64_t value) {
        builder.on(SyscallReturned{task, {Abi::x86_64, number}, value, value < 0});
    }
};

constexpr TaskId first{100, 1};

}  // namespace

TEST_CASE("the first few sites of a call are kept, each once") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/ls");
    fixture.call(first, 2);
    std::vector<CallSite> sites;
    for (std::uint64_t offset = 9; offset > 0; --offset)
        sites.push_back({"/usr/lib/libc.so.6", "", offset, "", 0});
    for (const CallSite& site : sites) {
        fixture.builder.add_site({Abi::x86_64, 2}, site);
        fixture.builder.add_site({Abi::x86_64, 2}, sites.front());
        fixture.builder.add_site({Abi::x86_64, 3}, site);  // which nobody has made
    }
    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.calls.size() == 1);
    sites.resize(sites_kept);
    CHECK(recording.calls.front().sites == sites);
}

TEST_CASE("calls are counted, with their results and their beginning") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/ls");
    fixture.now = Milliseconds(5);
    fixture.call(first, 2);
    fixture.result(first, 2, -ENOENT);
    fixture.now = Milliseconds(9);
    fixture.call(first, 2);
    fixture.result(first, 2, 3);
    fixture.call(first, 2);

    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.calls.size() == 1);
    const CallRecord& open = recording.calls.front();
    CHECK(open.call == Syscall{Abi::x86_64, 2});
    CHECK(open.count == 3);
    CHECK(open.unfinished() == 1);
    CHECK(open.returned == std::map<int, std::uint64_t>{{0, 1}, {ENOENT, 1}});
    CHECK(open.first.at == Milliseconds(5));
    CHECK(fixture.builder.last_news() == Milliseconds(5));
    CHECK(recording.complete());
}

TEST_CASE("numbers are told apart by ABI and listed in order") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/mixed");
    fixture.builder.on(SyscallSeen{first, {Abi::x32, 0x40000014}, {}, 0, 0});
    fixture.builder.on(SyscallSeen{first, {Abi::i386, 20}, {}, 0, 0});
    fixture.call(first, 20);
    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.calls.size() == 3);
    CHECK(recording.calls[0].call.abi == Abi::x86_64);
    CHECK(recording.calls[1].call.abi == Abi::i386);
    CHECK(recording.calls[2].call.abi == Abi::x32);
}

TEST_CASE("a thread belongs to its process, a child begins with its creator's program") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/sh");
    fixture.start({101, 2}, 100, first, "");
    fixture.start({102, 3}, 102, {101, 2}, "");
    fixture.builder.on(Execed{{102, 3}, "/bin/true"});
    fixture.call({102, 3}, 60);
    fixture.builder.on(TaskExited{{102, 3}, {0, 9}});
    fixture.builder.on(TaskExited{{101, 2}, {1, 0}});
    fixture.builder.on(TaskExited{first, {4, 0}});

    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.processes.size() == 2);
    CHECK(recording.processes[0].threads == 2);
    CHECK(recording.processes[0].status == ExitStatus{4, 0});
    CHECK(recording.status == ExitStatus{4, 0});
    CHECK(recording.processes[1].parent == 0U);
    CHECK(recording.processes[1].status == ExitStatus{0, 9});
    CHECK(recording.executables == std::vector<std::string>{"/bin/sh", "/bin/true"});
    CHECK(recording.processes[1].executables == std::vector<ExecutableIndex>{0, 1});
    CHECK(recording.calls[0].first.process == 1);
    CHECK(recording.calls[0].by_executable == std::map<ExecutableIndex, std::uint64_t>{{1, 1}});
    CHECK(fixture.builder.live_processes() == 0);
}

TEST_CASE("a process that is given a used pid is another one") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/sh");
    fixture.start({101, 2}, 101, first, "");
    fixture.builder.on(TaskExited{{101, 2}, {0, 0}});
    fixture.start({101, 3}, 101, first, "");
    fixture.call({101, 2}, 1);  // from the one that is gone: not counted for the new one
    fixture.call({101, 3}, 2);
    const Recording recording = fixture.builder.snapshot();
    CHECK(recording.processes.size() == 3);
    REQUIRE(recording.calls.size() == 1);
    CHECK(recording.calls[0].first.process == 2);
}

TEST_CASE("what was lost is said once and makes the recording incomplete") {
    Fixture fixture;
    fixture.builder.on(Lost{"a child"});
    fixture.builder.on(Lost{"a child"});
    fixture.builder.on(Noted{"a note"});
    const Recording recording = fixture.builder.snapshot();
    CHECK(recording.gaps == std::vector<std::string>{"a child"});
    CHECK(recording.notes == std::vector<std::string>{"a note"});
    CHECK_FALSE(recording.complete());
}

TEST_CASE("a process that is let run, and what it starts, is remembered as such") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/sh");
    CHECK(fixture.builder.running_freely().empty());
    fixture.builder.on(LetRun{first, Scope::tree});
    CHECK(fixture.builder.running_freely() == std::vector<pid_t>{100});
    fixture.builder.on(TaskStarted{{101, 2}, first, 101, "", Scope::tree});
    fixture.builder.on(TaskStarted{{102, 3}, first, 102, "", Scope::process});
    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.processes.size() == 3);
    CHECK(recording.processes[0].scope == Scope::tree);
    CHECK(recording.processes[1].scope == Scope::tree);
    CHECK(recording.processes[2].scope == Scope::process);
    fixture.builder.on(TaskExited{{101, 2}, {}});
    CHECK(fixture.builder.running_freely() == std::vector<pid_t>{100});
}
