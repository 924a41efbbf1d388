#include "base/procfs.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"

namespace procfs_test {

using namespace callcensus;

namespace {

// What it says of a child that has done this and waits.
template <class Prepare, class Look>
void look_at_child(Prepare prepare, Look look) {
    int ready[2];
    int go_on[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(go_on) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(go_on[1]);
        char byte = prepare() ? 'y' : 'n';
        if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
        ::_exit(::read(go_on[0], &byte, 1) == 0 ? 0 : 1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    if (byte == 'y')
        look(child);
    else
        WARN("skipped: this is not permitted here");
    for (const int fd : {ready[0], ready[1], go_on[0], go_on[1]}) ::close(fd);
    ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("what comes after many groups in a task's status is seen") {
    look_at_child(
        [] {
            std::vector<gid_t> groups(65'536);
            std::iota(groups.begin(), groups.end(), 4'000'000'000U - 65'536);
            sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
            const sock_fprog program{1, &allow};
            return ::setgroups(groups.size(), groups.data()) == 0 &&
                   ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
        },
        [](pid_t child) {
            const auto status = procfs::task_status(child);
            REQUIRE(status);
            CHECK(status->seccomp == 2);
            CHECK(status->parent == ::getpid());
        });
}

TEST_CASE("a task's name is its own to choose, and says nothing else of it") {
    look_at_child([] { return ::prctl(PR_SET_NAME, ") R 1 2\nSeccomp") == 0; },
                  [](pid_t child) {
                      const auto status = procfs::task_status(child);
                      REQUIRE(status);
                      CHECK(status->process == child);
                      CHECK(status->seccomp == procfs::task_status(::getpid())->seccomp);
                      CHECK(procfs::processor(child).has_value());
                  });
}

TEST_CASE("a long command line is read to its end") {
    std::vector<std::string> arguments{"/bin/sh", "-c", "read line", "sh"};
    for (int i = 0; i < 2000; ++i) arguments.push_back("argument-" + std::to_string(i));
    int go_on[2];
    REQUIRE(::pipe2(go_on, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(go_on[0], STDIN_FILENO);
        std::vector<char*> words;
        for (std::string& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        ::execv("/bin/sh", words.data());
        ::_exit(127);
    }
    std::vector<std::string> seen;
    for (int tries = 0; tries < 5000 && seen.size() != arguments.size(); ++tries) {
        seen = procfs::command_line(child);
        ::usleep(1000);
    }
    CHECK(seen == arguments);
    ::close(go_on[0]);
    ::close(go_on[1]);
    ::waitpid(child, nullptr, 0);
}

}  // namespace procfs_test
