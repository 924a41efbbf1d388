#include "container/directory_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace callcensus {
namespace {

// Of directories whose parent belongs to root, or to this user alone. What is there must be ours to be of
// use.
UniqueFd open_directory_of_locks() {
    const char* of_user = std::getenv("XDG_RUNTIME_DIR");
    for (const std::string& parent :
         {std::string(::geteuid() == 0 ? "/run" : ""), std::string(of_user != nullptr ? of_user : "")}) {
        if (parent.empty() || parent.front() != '/') continue;
        const std::string path = parent + "/callcensus";
        ::mkdir(path.c_str(), 0700);
        UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        struct stat status {};
        if (directory && ::fstat(directory.get(), &status) == 0 && status.st_uid == ::geteuid() &&
            (status.st_mode & 077) == 0)
            return directory;
    }
    return {};
}

UniqueFd open_lock_of(int directory) {
    struct stat status {};
    const UniqueFd locks = open_directory_of_locks();
    if (locks && ::fstat(directory, &status) == 0) {
        // It stays: were it removed, two could have the locks of two files of one name.
        const std::string name = fmt::format("{:x}-{:x}", status.st_dev, status.st_ino);
        UniqueFd file(::openat(locks.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (file) return file;
    }
    return UniqueFd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool take(int fd) { return ::flock(fd, LOCK_EX | LOCK_NB) == 0; }

// flock(2) knows no deadline. A timer's signal could end it, but a recorder's signals are its engine's to
// handle, and one that comes just before the call is lost; asking again and again is no better. So a child
// waits: the lock belongs to the open file, which both have, and stays when the child has ended.
void wait_for(int fd, DirectoryLock::Clock::time_point deadline) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const UniqueFd ours(ends[0]);
    UniqueFd of_child(ends[1]);  // closed when it ends
    const pid_t child = ::fork();
    if (child < 0) return;
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (::flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
        ::_exit(0);
    }
    of_child.reset();
    pollfd ended{ours.get(), POLLIN, 0};
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - DirectoryLock::Clock::now());
        const auto wait = std::clamp<std::int64_t>(left.count(), 0, INT_MAX);
        if (::poll(&ended, 1, static_cast<int>(wait)) >= 0 || errno != EINTR) break;
    }
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

Result<std::optional<DirectoryLock>> DirectoryLock::of(int directory, Clock::time_point deadline,
                                                       const std::string& path) {
    UniqueFd fd = open_lock_of(directory);
    if (!fd) return fail("its directory cannot be opened", path, errno);
    if (!take(fd.get())) {
        if (errno != EWOULDBLOCK) return fail("its directory cannot be locked", path, errno);
        if (deadline <= Clock::now()) return std::nullopt;
        wait_for(fd.get(), deadline);
        if (!take(fd.get())) return std::nullopt;
    }
    return DirectoryLock(std::move(fd));
}

}  // namespace callcensus
