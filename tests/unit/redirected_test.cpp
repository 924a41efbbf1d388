#include "base/redirected.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>

#include "catch.hpp"
#include "in_child.hpp"

namespace redirected_test {

using namespace callcensus;

namespace {

bool is_same_file(int a, int b) {
    struct stat one {
    }, other{};
    return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

// A file of nobody else's, above the standard streams.
UniqueFd new_file() {
    return above_standard_streams(UniqueFd(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)));
}

}  // namespace

TEST_CASE("standard streams are others for a scope, and then what they were") {
    CHECK(in_child([] {
        const UniqueFd in = new_file(), out = new_file(), err = new_file();
        const UniqueFd before(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
        ::close(STDIN_FILENO);
        {
            const auto redirected = Redirected::to({in.get(), out.get(), err.get()});
            if (!redirected || !is_same_file(0, in.get()) || !is_same_file(1, out.get()) ||
                !is_same_file(2, err.get()))
                return false;
        }
        return !is_open(STDIN_FILENO) && is_same_file(STDOUT_FILENO, before.get()) && is_open(STDERR_FILENO);
    }));
    CHECK(in_child([] {  // the command's output to standard error
        const UniqueFd in = new_file(), err = new_file();
        if (::dup2(err.get(), STDERR_FILENO) < 0) return false;
        const auto redirected = Redirected::to({in.get(), STDERR_FILENO, STDERR_FILENO});
        return redirected && is_same_file(STDOUT_FILENO, err.get()) && is_same_file(STDERR_FILENO, err.get());
    }));
}

TEST_CASE("standard streams stay as they are where they cannot be kept or replaced") {
    CHECK(in_child([] {
        const UniqueFd in = new_file(), out = new_file();
        const UniqueFd before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        // One descriptor is left, for the first stream.
        const rlimit limit{static_cast<rlim_t>(before.get()) + 2, static_cast<rlim_t>(before.get()) + 2};
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
        const auto redirected = Redirected::to({in.get(), out.get(), STDERR_FILENO});
        return !redirected && redirected.error().errnum == EMFILE &&
               is_same_file(STDIN_FILENO, before.get()) && is_open(STDOUT_FILENO) &&
               !is_same_file(STDOUT_FILENO, out.get());
    }));
    CHECK(in_child([] {
        const UniqueFd in = new_file();
        const UniqueFd before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        ::close(STDERR_FILENO);
        const auto redirected = Redirected::to({in.get(), STDERR_FILENO, STDERR_FILENO});
        return !redirected && redirected.error().errnum == EBADF &&
               is_same_file(STDIN_FILENO, before.get()) && is_open(STDOUT_FILENO);
    }));
}

TEST_CASE("a file that was opened while a standard stream was closed makes room for it") {
    CHECK(in_child([] {
        ::close(STDIN_FILENO);
        UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (file.get() != STDIN_FILENO) return false;
        file = above_standard_streams(std::move(file));
        return file.get() > STDERR_FILENO && !is_open(STDIN_FILENO) &&
               ::fcntl(file.get(), F_GETFD) == FD_CLOEXEC;
    }));
}

}  // namespace redirected_test
