#include "callcensus/process_tree.hpp"

#include <algorithm>
#include <set>

#include "catch.hpp"

namespace process_tree_test {

using namespace callcensus;

namespace {

constexpr TaskId shell{100, 1};

// A tree in which /bin/sh runs as process 100.
struct Fixture {
    ProcessTree tree;

    explicit Fixture(const ExecutableLimits& limits = {}) : tree(limits) { start(shell, 100, {}, "/bin/sh"); }

    void start(TaskId task, pid_t process, TaskId creator, const std::string& executable = "") {
        tree.on(TaskStarted{task, creator, process, executable});
    }
    void exec(TaskId task, const std::string& executable) { tree.on(Execed{task, executable}); }
    void call(TaskId task) { tree.on(SyscallSeen{task, {Abi::x86_64, 1}, {}, 0, 0}); }
    void exit(TaskId task) { tree.on(TaskExited{task, {}}); }

    const ProcessTree::Process& process_of(TaskId id) const {
        const ProcessTree::Task* const task = tree.find(id);
        if (task == nullptr) FAIL("nobody knows the task");
        CHECK(task->id == id);
        return *task->process;
    }
    std::string executable_of(TaskId id) const { return tree.executable_of(process_of(id)); }
    std::set<pid_t> live() const {
        std::set<pid_t> pids;
        for (const ProcessTree::Process* process : tree.live_processes()) pids.insert(process->pid);
        CHECK(pids.size() == tree.live());
        return pids;
    }
};

}  // namespace

TEST_CASE("threads are of their process, and it ends with the last of them") {
    Fixture fixture;
    const TaskId thread{101, 2}, threads_thread{102, 3};
    CHECK(fixture.process_of(shell).threads_ever == 1);
    fixture.start(thread, 100, shell);
    fixture.start(threads_thread, 100, thread);
    const ProcessTree::Process& process = fixture.process_of(shell);
    CHECK(&fixture.process_of(thread) == &process);
    CHECK(&fixture.process_of(threads_thread) == &process);
    CHECK(process.threads == 3);
    CHECK(fixture.tree.processes_started() == 1);

    fixture.exit(thread);
    fixture.exit(threads_thread);
    CHECK(process.threads == 1);
    CHECK(process.threads_ever == 3);
    CHECK(fixture.live() == std::set<pid_t>{100});
    fixture.exit(shell);
    CHECK(process.threads == 0);
    CHECK(fixture.live().empty());
    CHECK(fixture.tree.process(100) == nullptr);
}

TEST_CASE("a child begins with what its creator runs, whichever thread that is") {
    Fixture fixture;
    const TaskId thread{101, 2}, child{102, 3}, grandchild{103, 4}, stranger{900, 5};
    fixture.start(thread, 100, shell);
    fixture.start(child, 102, thread);
    fixture.exec(child, "/bin/make");
    fixture.start(grandchild, 103, child);
    fixture.start(stranger, 900, {}, "/bin/init");
    CHECK(fixture.executable_of(shell) == "/bin/sh");
    CHECK(fixture.executable_of(grandchild) == "/bin/make");
    CHECK(fixture.executable_of(stranger) == "/bin/init");
    CHECK(fixture.tree.executables() == std::vector<std::string>{"/bin/sh", "/bin/make", "/bin/init"});

    CHECK(fixture.tree.creator_of(fixture.process_of(child)) == &fixture.process_of(shell));
    CHECK(fixture.tree.creator_of(fixture.process_of(grandchild)) == &fixture.process_of(child));
    CHECK(fixture.tree.creator_of(fixture.process_of(stranger)) == nullptr);
    CHECK(fixture.tree.creator_of(fixture.process_of(shell)) == nullptr);
    CHECK(fixture.process_of(shell).number == 0);
    CHECK(fixture.process_of(stranger).number == 3);
    CHECK(fixture.live() == std::set<pid_t>{100, 102, 103, 900});
    CHECK(fixture.tree.process(102) == &fixture.process_of(child));
}

TEST_CASE("a child of vfork is a process from the start, and its exec is not its parent's") {
    Fixture fixture;
    const TaskId child{101, 2};
    fixture.start(child, 101, shell);
    fixture.call(child);  // the parent waits meanwhile
    CHECK(fixture.executable_of(child) == "/bin/sh");
    fixture.exec(child, "/bin/true");
    CHECK(fixture.executable_of(child) == "/bin/true");
    CHECK(fixture.executable_of(shell) == "/bin/sh");
    fixture.exit(child);
    fixture.call(shell);
    CHECK(fixture.live() == std::set<pid_t>{100});
}

TEST_CASE("a thread that executes a program goes on as its process's leader") {
    Fixture fixture;
    const TaskId thread{101, 2}, other{102, 3};
    fixture.start(thread, 100, shell);
    fixture.start(other, 100, shell);
    fixture.exit(other);
    fixture.exit(thread);  // its tid is gone, and it has the leader's
    fixture.exec(shell, "/bin/true");
    CHECK(fixture.tree.find(thread) == nullptr);
    CHECK(fixture.executable_of(shell) == "/bin/true");
    CHECK(fixture.process_of(shell).threads == 1);
    CHECK(fixture.tree.processes_started() == 1);
    CHECK(fixture.tree.live() == 1);
}

TEST_CASE("a process outlives its leader, and one of its threads can become a new one") {
    Fixture fixture;
    const TaskId thread{101, 2}, leader_again{100, 3};
    fixture.start(thread, 100, shell);
    fixture.exit(shell);
    fixture.call(thread);
    CHECK(fixture.tree.find(shell) == nullptr);
    CHECK(fixture.live() == std::set<pid_t>{100});
    CHECK(fixture.executable_of(thread) == "/bin/sh");

    fixture.start(leader_again, 100, thread);
    fixture.exit(thread);
    fixture.exec(leader_again, "/bin/true");
    CHECK(fixture.executable_of(leader_again) == "/bin/true");
    CHECK(fixture.tree.processes_started() == 1);
    CHECK(fixture.process_of(leader_again).threads_ever == 3);
}

TEST_CASE("a process whose leader had ended before we came begins with any thread of it") {
    ProcessTree tree;
    tree.on(TaskStarted{{701, 1}, {}, 700, "/bin/server"});
    tree.on(TaskStarted{{702, 2}, {}, 700, "/bin/server"});
    const ProcessTree::Process* const process = tree.process(700);
    REQUIRE(process != nullptr);
    CHECK(process->threads == 2);
    CHECK(tree.processes_started() == 1);
    tree.on(TaskStarted{{700, 3}, {}, 700, "/bin/server"});  // nobody says who has created it
    CHECK(process->threads == 3);
    for (const TaskId task : {TaskId{701, 1}, TaskId{700, 3}, TaskId{702, 2}}) tree.on(TaskExited{task, {}});
    CHECK(tree.live() == 0);
}

TEST_CASE("a tid or pid that is used again is another task's, and another process's") {
    Fixture fixture;
    const TaskId child{101, 2}, orphan{102, 3}, second{101, 4}, third{101, 5};
    fixture.start(child, 101, shell);
    fixture.start(orphan, 102, child);
    fixture.exec(child, "/bin/true");
    const std::size_t place = fixture.process_of(child).place;
    fixture.exit(child);
    fixture.start(second, 101, orphan);
    CHECK(fixture.tree.find(child) == nullptr);
    CHECK(fixture.executable_of(second) == "/bin/sh");
    CHECK(fixture.process_of(second).number == 3);
    CHECK(fixture.process_of(second).place == place);  // so that places stay few
    // It has the pid and the place of the orphan's creator, and is its child.
    CHECK(fixture.tree.creator_of(fixture.process_of(orphan)) == nullptr);
    CHECK(fixture.tree.creator_of(fixture.process_of(second)) == &fixture.process_of(orphan));
    // What comes late for the former one.
    fixture.exec(child, "/bin/false");
    fixture.exit(child);
    CHECK(fixture.executable_of(second) == "/bin/sh");

    // As if the end of the second had been missed.
    fixture.start(third, 101, shell);
    fixture.exit(second);
    CHECK(fixture.tree.find(second) == nullptr);
    CHECK(fixture.process_of(third).number == 4);
    CHECK(fixture.live() == std::set<pid_t>{100, 101, 102});
}

TEST_CASE("what another process has forked is a process, whoever seems to have its pid") {
    Fixture fixture;
    const TaskId lost_thread{201, 2}, child{200, 3};
    fixture.start(lost_thread, 200, {}, "/bin/lost");
    fixture.start(child, 200, shell);
    CHECK(fixture.executable_of(child) == "/bin/sh");
    CHECK(&fixture.process_of(child) != &fixture.process_of(lost_thread));
    fixture.exit(lost_thread);
    CHECK(fixture.tree.process(200) == &fixture.process_of(child));
    fixture.exit(child);
    CHECK(fixture.live() == std::set<pid_t>{100});
}

TEST_CASE("a task that ends is known until the next event") {
    Fixture fixture;
    const TaskId child{101, 2};
    fixture.start(child, 101, shell);
    fixture.exit(child);
    CHECK(fixture.process_of(child).threads == 0);
    CHECK(fixture.executable_of(child) == "/bin/sh");
    CHECK(fixture.live() == std::set<pid_t>{100});
    fixture.tree.on(Tick{});
    CHECK(fixture.tree.find(child) == nullptr);
}

TEST_CASE("a process that is released, or born so, is known as such") {
    Fixture fixture;
    const TaskId thread{101, 2}, child{102, 3}, watched{103, 4};
    fixture.start(thread, 100, shell);
    CHECK(fixture.process_of(shell).scope == Scope::process);
    fixture.tree.on(Released{thread, Scope::executable});
    fixture.tree.on(TaskStarted{child, shell, 102, "", Scope::tree});
    fixture.start(watched, 103, shell);
    CHECK(fixture.process_of(shell).scope == Scope::executable);
    CHECK(fixture.process_of(child).scope == Scope::tree);
    CHECK(fixture.process_of(watched).scope == Scope::process);
}

TEST_CASE("tasks that are let go live on, as far as anybody can tell") {
    Fixture fixture;
    fixture.start({101, 2}, 101, shell);
    fixture.exit(shell);
    fixture.tree.on(Noted{"the rest is let go"});
    CHECK(fixture.live() == std::set<pid_t>{101});
}

TEST_CASE("what happens to tasks that nobody has told of changes nothing") {
    Fixture fixture;
    const TaskId unknown{500, 7}, none{};
    for (const TaskId task : {unknown, none, TaskId{100, 7}}) {
        fixture.call(task);
        fixture.exec(task, "/bin/unknown");
        fixture.tree.on(SyscallReturned{task, {Abi::x86_64, 1}, 0, false});
        fixture.tree.on(Released{task, Scope::tree});
        fixture.exit(task);
        CHECK(fixture.tree.find(task) == nullptr);
    }
    CHECK(fixture.tree.executables() == std::vector<std::string>{"/bin/sh"});
    CHECK(fixture.process_of(shell).scope == Scope::process);
    CHECK(fixture.tree.live() == 1);
    // One whose creator is not known is there nevertheless.
    fixture.start({501, 8}, 501, unknown, "/bin/orphan");
    CHECK(fixture.executable_of({501, 8}) == "/bin/orphan");
    CHECK(fixture.tree.creator_of(fixture.process_of({501, 8})) == nullptr);
}

TEST_CASE("of executables so many are told apart, and those beyond are one") {
    for (const ExecutableLimits limits : {ExecutableLimits{.count = 3}, ExecutableLimits{.name_bytes = 30}}) {
        Fixture fixture(limits);
        CHECK_FALSE(fixture.tree.executables_left_out());
        for (int i = 0; i < 10; ++i) fixture.exec(shell, "/bin/other" + std::to_string(i));
        CHECK(fixture.tree.executables_left_out());
        CHECK(fixture.executable_of(shell) == "[others]");
        CHECK(fixture.tree.executables().size() < 5);
        CHECK(std::count(fixture.tree.executables().begin(), fixture.tree.executables().end(), "[others]") ==
              1);
        fixture.exec(shell, "/bin/other0");
        CHECK(fixture.executable_of(shell) == "/bin/other0");
    }
}

TEST_CASE("however many processes come and go, places are as many as live at a time") {
    Fixture fixture;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const TaskId child{static_cast<pid_t>(1000 + i), 2 + i};
        fixture.start(child, child.tid, shell);
        CHECK(fixture.process_of(child).place < 3);
        fixture.exit(child);
    }
    CHECK(fixture.tree.processes_started() == 1001);
}

}  // namespace process_tree_test
