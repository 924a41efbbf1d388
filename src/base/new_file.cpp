#include "base/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "base/file.hpp"

namespace callcensus {
namespace {

constexpr int new_only = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;

// A file without a name where the file system has such, else one with a name that nobody looks for. Whatever
// becomes of this process, the first kind leaves nothing behind.
class UnnamedFile {
  public:
    explicit UnnamedFile(int directory) : directory_(directory) {
        fd_ = UniqueFd(::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
        if (fd_) return;
        const int reason = errno;
        if (reason != EOPNOTSUPP && reason != EISDIR && reason != EINVAL) return;
        name_ = "." + random_name();
        fd_ = UniqueFd(::openat(directory, name_.c_str(), new_only, 0600));
    }
    UnnamedFile(const UnnamedFile&) = delete;
    UnnamedFile& operator=(const UnnamedFile&) = delete;
    ~UnnamedFile() {
        if (!name_.empty() && fd_) ::unlinkat(directory_, name_.c_str(), 0);
    }

    explicit operator bool() const { return static_cast<bool>(fd_); }
    [[nodiscard]] int fd() const { return fd_.get(); }
    // Fails with EEXIST where something has the name; linkat(2) follows nothing there.
    [[nodiscard]] bool link_as(const std::string& name) const {
        if (!name_.empty()) return ::linkat(directory_, name_.c_str(), directory_, name.c_str(), 0) == 0;
        const std::string self = fmt::format("/proc/self/fd/{}", fd_.get());
        return ::linkat(AT_FDCWD, self.c_str(), directory_, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    }
    // Takes the place of what has the name.
    [[nodiscard]] bool rename_to(const std::string& name) {
        if (name_.empty()) {
            const std::string visible = "." + random_name();
            if (!link_as(visible)) return false;
            name_ = visible;
        }
        if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0) return false;
        name_.clear();
        return true;
    }

  private:
    int directory_;
    std::string name_;
    UniqueFd fd_;
};

// Whose a new file becomes, and its mode.
struct Belonging {
    mode_t mode = 0;
    uid_t user = static_cast<uid_t>(-1);  // as it is
    gid_t group = static_cast<gid_t>(-1);
};

Result<void> fill(int fd, std::string_view content, const Belonging& belonging, const std::string& path) {
    if (auto written = write_all(fd, content, path); !written) return written;
    // Only root can give files away; where we may not, the new file is ours, as with any editor.
    [[maybe_unused]] const int ignored = ::fchown(fd, belonging.user, belonging.group);
    if (::fchmod(fd, belonging.mode) != 0) return fail("its mode cannot be set", path, errno);
    if (::fsync(fd) != 0 && errno != EINVAL) return fail("cannot be written to disk", path, errno);
    return {};
}

}  // namespace

UniqueFd open_directory(const std::string& path) {
    return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_shared(int directory) {
    struct stat status {};
    return ::fstat(directory, &status) != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

Result<bool> create_file(int directory, const std::string& name, std::string_view content, mode_t mode,
                         const std::string& path) {
    const UnnamedFile file(directory);
    if (!file) return fail("cannot be made", path, errno);
    if (auto filled = fill(file.fd(), content, {mode}, path); !filled) return tl::unexpected(filled.error());
    if (file.link_as(name)) return true;
    if (errno == EEXIST) return false;
    return fail("cannot be made", path, errno);
}

Result<void> replace_entry(int directory, const std::string& name, std::string_view content,
                           const std::string& path) {
    UnnamedFile file(directory);
    if (!file) return fail("cannot be replaced", path, errno);
    struct stat present {};
    const bool is_file =
        ::fstatat(directory, name.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(present.st_mode);
    const Belonging belonging = is_file ? Belonging{present.st_mode & 07777, present.st_uid, present.st_gid}
                                        : Belonging{mode_for_a_new_file()};
    if (auto filled = fill(file.fd(), content, belonging, path); !filled) return filled;
    if (!file.rename_to(name)) return fail("cannot be replaced", path, errno);
    return {};
}

bool is_planted(const struct stat& entry, const struct stat& parent) {
    constexpr mode_t as_tmp = S_ISVTX | S_IWOTH;
    return (parent.st_mode & as_tmp) == as_tmp && entry.st_uid != ::geteuid() &&
           entry.st_uid != parent.st_uid;
}

Result<std::optional<std::string>> read_entry(int directory, const std::string& name, std::size_t limit,
                                              Accept accept, const std::string& path) {
    const UniqueFd fd(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT) return std::nullopt;
        if (errno == ELOOP) return fail("is a symbolic link, which is not followed here", path);
        return fail("cannot be opened", path, errno);
    }
    struct stat status {
    }, parent{};
    if (::fstat(fd.get(), &status) != 0 || ::fstat(directory, &parent) != 0)
        return fail("cannot be read", path, errno);
    if (!S_ISREG(status.st_mode)) return fail("is no regular file", path);
    if (accept != Accept::any && is_planted(status, parent))
        return fail("belongs to somebody else, in a directory that everybody may write to", path);
    if (accept == Accept::sole && status.st_nlink > 1)
        return fail("has another name besides, and may be somebody else's file", path);
    auto content = read_descriptor(fd.get(), limit, path);
    if (!content) return tl::unexpected(content.error());
    return std::move(*content);
}

std::string random_name() {
    std::uint64_t number = 0;
    while (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) continue;
    return fmt::format("{:016x}", number);
}

}  // namespace callcensus
