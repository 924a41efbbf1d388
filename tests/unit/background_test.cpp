#include "container/background.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "catch.hpp"
#include "in_child.hpp"

namespace background_test {

using namespace callcensus;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

bool is_null(int fd) {
    struct stat one {
    }, null{};
    return ::fstat(fd, &one) == 0 && ::stat("/dev/null", &null) == 0 && one.st_rdev == null.st_rdev;
}

struct Pipe {
    UniqueFd to_read, to_write;
    Pipe() {
        std::array<int, 2> ends{-1, -1};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        to_read = UniqueFd(ends[0]);
        to_write = UniqueFd(ends[1]);
    }
    bool brings(char letter) const {
        char read = 0;
        return ::read(to_read.get(), &read, 1) == 1 && read == letter;
    }
};

}  // namespace

TEST_CASE("a process in the background keeps a pipe and nothing else of its parent") {
    Pipe pipe;
    CHECK(in_child([&] {
        const int other = ::open("/", O_RDONLY);
        ::signal(SIGTERM, SIG_IGN);
        ::signal(SIGUSR1, SIG_IGN);
        sigset_t mask;
        ::sigemptyset(&mask);
        ::sigaddset(&mask, SIGHUP);
        ::sigprocmask(SIG_BLOCK, &mask, nullptr);
        if (!go_to_background(pipe.to_write)) return false;
        for (const int standard : {0, 1, 2})
            if (!is_null(standard)) return false;
        ::sigprocmask(SIG_SETMASK, nullptr, &mask);
        struct sigaction term {
        }, user{};
        ::sigaction(SIGTERM, nullptr, &term);
        ::sigaction(SIGUSR1, nullptr, &user);
        return pipe.to_write.get() == 3 && !is_open(4) && !is_open(other) &&
               ::write(pipe.to_write.get(), "x", 1) == 1 && ::getsid(0) == ::getpid() &&
               std::filesystem::current_path() == "/" && ::sigismember(&mask, SIGHUP) == 0 &&
               term.sa_handler == SIG_DFL && user.sa_handler == SIG_DFL;
    }));
    CHECK(pipe.brings('x'));
}

TEST_CASE("a pipe survives that has the number of a standard stream") {
    Pipe pipe;
    CHECK(in_child([&] {
        for (const int standard : {0, 1, 2}) ::close(standard);
        pipe.to_write = UniqueFd(::dup(pipe.to_write.get()));
        return pipe.to_write.get() == 0 && go_to_background(pipe.to_write) && is_null(0) && is_null(1) &&
               is_null(2) && pipe.to_write.get() == 3 && ::write(3, "y", 1) == 1 && !is_open(4);
    }));
    CHECK(pipe.brings('y'));
}

TEST_CASE("where a process cannot go to the background the pipe is there to tell it") {
    for (const rlim_t descriptors : {4, 5}) {  // none is left for the pipe; one, and so none for /dev/null
        INFO(descriptors << " descriptors");
        Pipe pipe;
        CHECK(in_child([&] {
            pipe.to_write = UniqueFd(::fcntl(pipe.to_write.get(), F_DUPFD, 20));
            pipe.to_read.reset();
            for (const int taken : {0, 3}) ::dup2(STDERR_FILENO, taken);
            for (int fd = 4; fd < 20; ++fd) ::close(fd);
            const rlimit limit{descriptors, descriptors};
            if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
            const auto done = go_to_background(pipe.to_write);
            return !done && done.error().where == (descriptors == 5 ? "/dev/null" : "") &&
                   ::write(pipe.to_write.get(), "z", 1) == 1;
        }));
        CHECK(pipe.brings('z'));
    }
}

}  // namespace background_test
