#include "callcensus/recording_builder.hpp"

#include <algorithm>
#include <cerrno>

#include "callcensus/format.hpp"
#include "catch.hpp"

namespace recording_builder_test {

using namespace callcensus;

namespace {

// A clock that shows what the test sets.
struct Fixture {
    Milliseconds now{};
    ProcessTree tree;
    RecordingBuilder builder{tree, [this] { return now; }};

    void on(const Event& event) {
        tree.on(event);
        builder.on(event);
    }
    void start(TaskId task, pid_t process, TaskId creator, const std::string& executable) {
        on(TaskStarted{task, creator, process, executable});
    }
    void call(TaskId task, std::uint32_t number) { on(SyscallSeen{task, {Abi::x86_64, number}, {}, 0, 0}); }
    void result(TaskId task, std::uint32_t number, std::int64_t value) {
        on(SyscallReturned{task, {Abi::x86_64, number}, value, value < 0});
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
    fixture.on(SyscallSeen{first, {Abi::x32, 0x40000014}, {}, 0, 0});
    fixture.on(SyscallSeen{first, {Abi::i386, 20}, {}, 0, 0});
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
    fixture.on(Execed{{102, 3}, "/bin/true"});
    fixture.call({102, 3}, 60);
    fixture.on(TaskExited{{102, 3}, {0, 9}});
    fixture.on(TaskExited{{101, 2}, {1, 0}});
    fixture.on(TaskExited{first, {4, 0}});

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
    CHECK(fixture.tree.live() == 0);
}

TEST_CASE("a process that is given a used pid is another one") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/sh");
    fixture.start({101, 2}, 101, first, "");
    fixture.on(TaskExited{{101, 2}, {0, 0}});
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
    fixture.on(Lost{"a child"});
    fixture.on(Lost{"a child"});
    fixture.on(Noted{"a note"});
    const Recording recording = fixture.builder.snapshot();
    CHECK(recording.gaps == std::vector<std::string>{"a child"});
    CHECK(recording.notes == std::vector<std::string>{"a note"});
    CHECK_FALSE(recording.complete());
}

TEST_CASE("a process that is released, and what it starts, is remembered as such") {
    Fixture fixture;
    fixture.start(first, 100, {}, "/bin/sh");
    fixture.on(Released{first, Scope::tree});
    fixture.on(TaskStarted{{101, 2}, first, 101, "", Scope::tree});
    fixture.on(TaskStarted{{102, 3}, first, 102, "", Scope::process});
    const Recording recording = fixture.builder.snapshot();
    REQUIRE(recording.processes.size() == 3);
    CHECK(recording.processes[0].scope == Scope::tree);
    CHECK(recording.processes[1].scope == Scope::tree);
    CHECK(recording.processes[2].scope == Scope::process);
}

namespace {

// Beyond these limits everything is as much as a target likes.
struct Limited {
    Milliseconds now{};
    ProcessTree tree;
    RecordingBuilder builder;

    explicit Limited(const RecordingLimits& limits, const ExecutableLimits& executables = {})
        : tree(executables),
          builder(
              tree, [this] { return now; }, limits) {
        on(TaskStarted{first, {}, 100, "/bin/first"});
    }
    void on(const Event& event) {
        tree.on(event);
        builder.on(event);
    }
    // What is kept can be read, and read again.
    Recording recording() const {
        Recording kept = builder.snapshot();
        const std::string text = write_recording(kept);
        const auto again = parse_recording(text, "r.json");
        if (!again) FAIL(again.error().text());
        CHECK(write_recording(*again) == text);
        return kept;
    }
};

bool mentions(const std::vector<std::string>& texts, const std::string& part) {
    return std::any_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

Syscall unnamed(std::uint32_t index) { return {Abi::x86_64, 100'000 + index}; }

}  // namespace

TEST_CASE("of numbers without a name so many are kept, and those with one always") {
    Limited limited({.unnamed_calls = 3});
    for (std::uint32_t i = 0; i < 10; ++i) {
        limited.on(SyscallSeen{first, unnamed(i), {}, 0, 0});
        limited.on(SyscallReturned{first, unnamed(i), -ENOSYS, true});
    }
    for (const std::uint32_t number : {0U, 1U, 2U, 3U, 39U})
        limited.on(SyscallSeen{first, {Abi::x86_64, number}, {}, 0, 0});
    limited.on(SyscallSeen{first, unnamed(0), {}, 0, 0});
    Recording recording = limited.recording();
    CHECK(recording.calls.size() == 8);
    CHECK(recording.complete());  // no profile could name them, and they do nothing
    CHECK(mentions(recording.notes, "7 calls by further numbers without a name are left out"));
    CHECK_FALSE(limited.builder.wants_site(unnamed(9)));
    CHECK(limited.builder.wants_site(unnamed(2)));

    // One that the kernel has is missed.
    limited.on(SyscallSeen{first, unnamed(11), {}, 0, 0});
    limited.on(SyscallReturned{first, unnamed(11), 0, false});
    recording = limited.recording();
    CHECK_FALSE(recording.complete());
    CHECK(mentions(recording.gaps, "the kernel has some of them"));
}

TEST_CASE("of executables so many are told apart, and no call of the others is lost") {
    for (const ExecutableLimits limits : {ExecutableLimits{.count = 3}, ExecutableLimits{.name_bytes = 30}}) {
        Limited limited({}, limits);
        for (std::uint32_t i = 0; i < 10; ++i) {
            limited.on(Execed{first, "/bin/other" + std::to_string(i)});
            limited.on(SyscallSeen{first, {Abi::x86_64, i}, {}, 0, 0});
        }
        const Recording recording = limited.recording();
        CHECK(recording.executables.back() == "[others]");
        CHECK((recording.executables.size() == 3 || recording.executables.size() == 4));
        CHECK(recording.calls.size() == 10);
        CHECK_FALSE(recording.complete());
        CHECK(mentions(recording.gaps, "[others]"));
        CHECK(recording.processes[0].executables.size() == 11);
    }
}

TEST_CASE("of counts by call and executable so many are kept") {
    Limited limited({.shares = 4});
    for (std::uint32_t i = 0; i < 4; ++i) {
        limited.on(Execed{first, "/bin/other" + std::to_string(i)});
        for (std::uint32_t number = 0; number < 3; ++number)
            limited.on(SyscallSeen{first, {Abi::x86_64, number}, {}, 0, 0});
    }
    const Recording recording = limited.recording();
    CHECK(mentions(recording.gaps, "counted as those of [others]"));
    for (const CallRecord& record : recording.calls) {
        std::uint64_t sum = 0;
        for (const auto& [executable, count] : record.by_executable) sum += count;
        CHECK(sum == record.count);
        CHECK(record.count == 4);
    }
}

TEST_CASE("of processes so many are listed, and the calls of the others are recorded") {
    Limited limited({.processes = 3});
    TaskId parent = first;
    for (int i = 1; i <= 20; ++i) {
        const TaskId child{100 + i, static_cast<std::uint32_t>(1 + i)};
        limited.on(TaskStarted{child, parent, child.tid, ""});
        if (i == 7) limited.on(Execed{child, "/bin/seventh"});
        limited.on(SyscallSeen{child, {Abi::x86_64, static_cast<std::uint32_t>(i)}, {}, 0, 0});
        if (i == 9) limited.on(Released{child, Scope::tree});
        // Every other one lives on; whoever is listed must not be the parent of nobody.
        if (i % 2 == 0)
            limited.on(TaskExited{child, {0, 0}});
        else
            parent = child;
    }
    const Recording recording = limited.recording();
    CHECK(recording.processes.size() == 3);
    CHECK(recording.calls.size() == 20);
    CHECK(recording.complete());
    CHECK(mentions(recording.notes, "18 further processes are recorded, and not listed"));
    CHECK_FALSE(recording.exact_counts());  // as one that is not listed is released
    for (const CallRecord& record : recording.calls) CHECK(record.first.process < 3);
    CHECK(recording.executables == std::vector<std::string>{"/bin/first", "/bin/seventh"});
    CHECK(recording.calls[5].by_executable == std::map<ExecutableIndex, std::uint64_t>{{0, 1}});
    CHECK(recording.calls[6].by_executable == std::map<ExecutableIndex, std::uint64_t>{{1, 1}});
}

TEST_CASE("of executions, places and remarks so many are kept") {
    Limited limited({.site_bytes = 100, .execs = 5, .remarks = 4});
    for (int i = 0; i < 20; ++i) {
        limited.on(Execed{first, i % 2 == 0 ? "/bin/a" : "/bin/b"});
        limited.on(Lost{"lost " + std::to_string(i)});
        limited.on(Lost{"lost 0"});
        limited.on(Noted{"noted " + std::to_string(i)});
        limited.on(SyscallSeen{first, {Abi::x86_64, static_cast<std::uint32_t>(i)}, {}, 0, 0});
        limited.builder.add_site({Abi::x86_64, static_cast<std::uint32_t>(i)},
                                 {std::string(30, 'm'), "", 1, "", 0});
    }
    const Recording recording = limited.recording();
    CHECK(recording.processes[0].executables.size() == 5);
    CHECK(recording.executables.at(recording.processes[0].executables.back()) == "/bin/b");
    CHECK(mentions(recording.notes, "of programs that were executed 16 are not in the list"));
    CHECK(mentions(recording.notes, "17 places that calls were made from are left out"));
    CHECK(recording.gaps == std::vector<std::string>{"lost 0", "lost 1", "lost 2", "lost 3",
                                                     "further things could not be seen"});
    CHECK(mentions(recording.notes, "further notes are left out"));
}

TEST_CASE("whatever a target makes as much of as it likes, what is written is read") {
    Limited limited({});
    constexpr std::uint32_t many = 100'000;
    const std::string worst(4000, '\x01');  // six bytes each in JSON
    for (std::uint32_t i = 0; i < many; ++i) {
        const TaskId child{static_cast<pid_t>(1000 + i), 2 + i};
        limited.on(TaskStarted{child, first, child.tid, worst + std::to_string(i)});
        limited.on(SyscallSeen{child, unnamed(i), {}, 0, 0});
        limited.on(SyscallReturned{child, unnamed(i), -ENOSYS, true});
        limited.on(SyscallSeen{child, {Abi::x86_64, i % 300}, {}, 0, 0});
        limited.builder.add_site({Abi::x86_64, i % 300}, {worst + std::to_string(i), worst, i, worst, 1});
        limited.on(Noted{std::to_string(i)});
        limited.on(TaskExited{child, {0, 0}});
    }
    const std::string text = write_recording(limited.builder.snapshot());
    CHECK(text.size() < (std::size_t{256} << 20));  // what the program reads
    CHECK(parse_recording(text, "r.json"));
}

}  // namespace recording_builder_test
