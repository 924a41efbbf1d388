#include "record/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <string>

namespace callcensus {
namespace {

UniqueFd open_regular(const std::string& path, std::uint64_t inode) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat status {};
    // By its number alone: of overlay and btrfs, maps and stat(2) name different devices for one file.
    if (!place || ::fstat(place.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_ino != inode)
        return {};
    return UniqueFd(::open(fmt::format("/proc/self/fd/{}", place.get()).c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

}  // namespace

UniqueFd open_mapped(pid_t tid, const procfs::Mapping& mapping) {
    if (mapping.inode == 0 || mapping.name.empty() || mapping.name.front() != '/') return {};
    if (procfs::is_served_by_a_process(tid, mapping.device)) return {};
    // The mapping's own link leads to files that were deleted or replaced, too, where we are permitted.
    if (UniqueFd file = open_regular(
            fmt::format("/proc/{}/map_files/{:x}-{:x}", tid, mapping.begin, mapping.end), mapping.inode))
        return file;
    // The kernel gives the path from the root of the mount namespace or, inside ours, from our own root,
    // whatever the task has made its root by chroot(2).
    if (UniqueFd file = open_regular(fmt::format("/proc/{}/root{}", tid, mapping.name), mapping.inode))
        return file;
    if (procfs::mount_namespace(tid) != procfs::mount_namespace(::getpid())) return {};
    return open_regular(mapping.name, mapping.inode);
}

}  // namespace callcensus
