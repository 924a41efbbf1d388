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

// A file that is not yet in its place in the directory, and goes away unless it is put there. Where the file
// system can it has no name until then (O_TMPFILE, open(2)), so that nothing of it is left whenever we are
// killed, save between the two calls that replace a file: a link cannot take another's place, so that for a
// moment it has a name of its own. That name is always the same, and the next one to replace the file removes
// what was left.
class FileToBe {
  public:
    enum class Kind : std::uint8_t { nameless_if_possible, named };

    FileToBe(int directory, const std::string& destination, Kind kind)
        : directory_(directory), destination_(destination), stem_("." + destination.substr(0, longest_stem)) {
        if (kind == Kind::nameless_if_possible)
            fd_ = UniqueFd(::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
        if (fd_) return;
        constexpr int new_only = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
        name_ = unforeseen_name();
        fd_ = UniqueFd(::openat(directory, name_.c_str(), new_only, 0600));
        if (!fd_) name_.clear();
    }
    FileToBe(const FileToBe&) = delete;
    FileToBe& operator=(const FileToBe&) = delete;
    ~FileToBe() {
        if (!name_.empty()) ::unlinkat(directory_, name_.c_str(), 0);
    }

    explicit operator bool() const { return static_cast<bool>(fd_); }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool is_nameless() const { return fd_ && name_.empty(); }

    // Both false with errno. A nameless one may fail where a named one does not: without /proc, or where
    // links are forbidden. EEXIST where something has the name; linkat(2) follows nothing there.
    [[nodiscard]] bool take_free_place() { return link_as(destination_); }
    [[nodiscard]] bool take_place() {
        if (is_nameless()) return link_as(destination_) || (errno == EEXIST && replace_by_link());
        if (!rename_from(name_)) return false;
        name_.clear();
        return true;
    }

  private:
    static constexpr std::size_t longest_stem = 200;

    [[nodiscard]] std::string unforeseen_name() const { return stem_ + "." + random_name(); }

    [[nodiscard]] bool link_as(const std::string& name) const {
        if (!name_.empty()) return ::linkat(directory_, name_.c_str(), directory_, name.c_str(), 0) == 0;
        const std::string self = fmt::format("/proc/self/fd/{}", fd_.get());
        return ::linkat(AT_FDCWD, self.c_str(), directory_, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    }

    [[nodiscard]] bool rename_from(const std::string& name) const {
        return ::renameat(directory_, name.c_str(), directory_, destination_.c_str()) == 0;
    }

    // Others may be at the same at the same time, and take our link for one that was left: then once more.
    bool replace_by_link() {
        std::string name = stem_ + ".callcensus-tmp";
        constexpr int attempts = 100;
        for (int attempt = 0; attempt < attempts; ++attempt) {
            if (!link_as(name)) {
                if (errno != EEXIST) return false;
                if (!remove_left_over(name)) name = unforeseen_name();
                continue;
            }
            if (rename_from(name)) return true;
            if (errno == ENOENT) continue;
            const int errnum = errno;
            ::unlinkat(directory_, name.c_str(), 0);
            errno = errnum;
            return false;
        }
        errno = EEXIST;
        return false;
    }

    // Only what is ours: in a directory for everybody the name could be somebody's trap.
    [[nodiscard]] bool remove_left_over(const std::string& name) const {
        struct stat status {};
        if (::fstatat(directory_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
        if (!S_ISREG(status.st_mode) || (status.st_uid != ::geteuid() && ::geteuid() != 0)) return false;
        return ::unlinkat(directory_, name.c_str(), 0) == 0 || errno == ENOENT;
    }

    int directory_;
    std::string destination_;
    std::string stem_;
    std::string name_;  // empty while it has none
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

// False where its place is taken and not to be had.
Result<bool> make(int directory, const std::string& name, std::string_view content,
                  const Belonging& belonging, bool (FileToBe::*put)(), std::string_view failure,
                  const std::string& path) {
    for (const auto kind : {FileToBe::Kind::nameless_if_possible, FileToBe::Kind::named}) {
        FileToBe file(directory, name, kind);
        if (!file) break;
        if (auto filled = fill(file.fd(), content, belonging, path); !filled)
            return tl::unexpected(filled.error());
        const bool was_nameless = file.is_nameless();
        if ((file.*put)()) return true;
        if (errno == EEXIST) return false;
        if (!was_nameless) break;
    }
    return fail(std::string(failure), path, errno);
}

}  // namespace

UniqueFd open_directory(const std::string& path) {
    return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_shared(int directory) {
    struct stat status {};
    return ::fstat(directory, &status) != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

bool can_take_files(int directory) {
    return static_cast<bool>(FileToBe(directory, "probe", FileToBe::Kind::nameless_if_possible));
}

Result<bool> create_file(int directory, const std::string& name, std::string_view content, mode_t mode,
                         const std::string& path) {
    return make(directory, name, content, {mode}, &FileToBe::take_free_place, "cannot be made", path);
}

Result<void> replace_entry(int directory, const std::string& name, std::string_view content,
                           const std::string& path) {
    struct stat present {};
    const bool is_file =
        ::fstatat(directory, name.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(present.st_mode);
    const Belonging belonging = is_file ? Belonging{present.st_mode & 07777, present.st_uid, present.st_gid}
                                        : Belonging{mode_for_a_new_file()};
    const auto made =
        make(directory, name, content, belonging, &FileToBe::take_place, "cannot be replaced", path);
    if (!made) return tl::unexpected(made.error());
    if (!*made) return fail("cannot be replaced", path, EEXIST);
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
