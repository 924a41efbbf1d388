#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/new_file.hpp"
#include "base/unique_fd.hpp"

namespace callcensus {

namespace {

// The link is open, so that what is looked at is what is followed.
bool may_be_followed(int link, const std::string& path) {
    struct stat of_link {
    }, of_parent{};
    const std::string parent = std::filesystem::path(path).parent_path().string();
    return ::fstat(link, &of_link) == 0 && ::stat(parent.empty() ? "." : parent.c_str(), &of_parent) == 0 &&
           !is_planted(of_link, of_parent);
}

}  // namespace

std::string behind_links(const std::string& path) {
    std::string current = path;
    for (int depth = 0; depth < 40; ++depth) {  // the kernel's own limit
        const UniqueFd link(::open(current.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        std::array<char, PATH_MAX> target{};
        const ssize_t length = link ? ::readlinkat(link.get(), "", target.data(), target.size()) : -1;
        if (length <= 0 || !may_be_followed(link.get(), current)) return current;
        const std::filesystem::path to(std::string(target.data(), static_cast<std::size_t>(length)));
        current =
            to.is_absolute() ? to.string() : (std::filesystem::path(current).parent_path() / to).string();
    }
    return current;
}

namespace {

std::string directory_of(const std::string& path) {
    const std::string parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

// Empty where there is nothing (yet); an error where there can never be anything.
Result<std::optional<struct stat>> status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return status;
    if (errno == ENOENT) return std::nullopt;
    if (errno == ENOTDIR) return fail("its parent is not a directory", path);
    return fail("cannot be written", path, errno);
}

// Without a file that our limit would have us make larger than it permits (RLIMIT_FSIZE) we would die of
// SIGXFSZ. It is sent to the thread that writes: blocked, and taken before it is unblocked, it is an error
// like others, EFBIG.
class FileSizeSignalBlocked {
  public:
    FileSizeSignalBlocked() {
        ::sigemptyset(&signal_);
        ::sigaddset(&signal_, SIGXFSZ);
        was_pending_ = is_pending();
        ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
    FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;
    ~FileSizeSignalBlocked() {
        const int errnum = errno;
        const timespec at_once{};
        if (!was_pending_ && is_pending()) ::sigtimedwait(&signal_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = errnum;
    }

  private:
    static bool is_pending() {
        sigset_t pending;
        return ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
    }

    sigset_t signal_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

bool is_written_in_place(const struct stat& status) {
    return !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

mode_t mode_for_a_new_file() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

Result<void> write_all(int fd, std::string_view content, const std::string& name) {
    const FileSizeSignalBlocked no_death_by_limit;
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail("cannot be written", name, errno);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> read_descriptor(int fd, std::size_t limit, const std::string& name) {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return fail("is a directory, not a file", name);
    std::string content;
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail("cannot be read", name, errno);
        if (size == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(size));
        if (content.size() > limit)
            return fail(
                "is larger than " + std::to_string(limit >> 20) + " MiB, which no such file should be", name);
    }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    UniqueFd opened;
    if (path != "-") {
        opened = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!opened) return fail("cannot be opened", path, errno);
    }
    return read_descriptor(path == "-" ? STDIN_FILENO : opened.get(), limit,
                           path == "-" ? "standard input" : path);
}

bool is_standard_output(const std::string& path) {
    return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

std::string output_name(const std::string& path) {
    return is_standard_output(path) ? "standard output" : path;
}

Result<void> check_replaceable(const std::string& path) {
    if (is_standard_output(path)) return {};
    const auto present = status_of(path);
    if (!present) return tl::unexpected(present.error());
    if (*present && S_ISDIR((*present)->st_mode)) return fail("is a directory: name a file in it", path);
    if (*present && is_written_in_place(**present)) {
        if (::access(path.c_str(), W_OK) != 0) return fail("cannot be written", path, errno);
        return {};
    }
    const std::string destination = behind_links(path);
    if (std::filesystem::path(destination).filename().empty()) return fail("names no file", path);
    struct stat parent {};
    if (::stat(directory_of(destination).c_str(), &parent) != 0)
        return errno == ENOENT ? fail("its directory does not exist: make it first", path)
                               : fail("its directory cannot be used", path, errno);
    // In a sticky directory such as /tmp a new file may be made, but not put in the place of somebody else's.
    const bool sticky = (parent.st_mode & S_ISVTX) != 0 && ::geteuid() != 0 && ::geteuid() != parent.st_uid;
    if (sticky && *present && (*present)->st_uid != ::geteuid())
        return fail("belongs to somebody else, and its directory is sticky: use another name", path);
    if (!can_take_files(open_directory(directory_of(destination)).get()))
        return fail("its directory cannot be written to", path, errno);
    return {};
}

bool is_regular_or_new(const std::string& path) {
    if (is_standard_output(path)) return false;
    const auto present = status_of(path);
    return present && (!*present || !is_written_in_place(**present));
}

bool are_same_file(const std::string& a, const std::string& b) {
    std::error_code failed;
    const auto canonical = [&](const std::string& path) {
        return std::filesystem::weakly_canonical(std::filesystem::absolute(behind_links(path), failed),
                                                 failed);
    };
    return canonical(a) == canonical(b);
}

Result<void> replace_file(const std::string& path, std::string_view content) {
    if (is_standard_output(path)) return write_all(STDOUT_FILENO, content, output_name(path));
    const auto found = status_of(path);
    if (!found) return tl::unexpected(found.error());
    const std::optional<struct stat>& present = *found;
    if (present && is_written_in_place(*present)) {
        const UniqueFd device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!device) return fail("cannot be opened for writing", path, errno);
        return write_all(device.get(), content, path);
    }
    const std::string destination = behind_links(path);
    const UniqueFd directory = open_directory(directory_of(destination));
    if (!directory) return fail("cannot be replaced", path, errno);
    return replace_entry(directory.get(), std::filesystem::path(destination).filename().string(), content,
                         path);
}

}  // namespace callcensus
