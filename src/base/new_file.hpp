// Files in directories that others can write to. A path says nothing lasting there: between two calls that
// take it somebody can put a link, another file or another directory in its place. So these functions take a
// directory that is open, and one name in it.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// Opens a directory, links followed; errno where it cannot be.
[[nodiscard]] UniqueFd open_directory(const std::string& path);

/// Whether anybody but its owner can make files in the directory.
[[nodiscard]] bool is_shared(int directory);

/// Whether we can make files in the directory; errno where not.
[[nodiscard]] bool can_take_files(int directory);

/// Makes a file of that mode (whatever the umask) that others see whole or not at all: nothing is followed
/// and nothing replaced. False where something has the name already, be it a link to nothing. `path` is for
/// messages.
[[nodiscard]] Result<bool> create_file(int directory, const std::string& name, std::string_view content,
                                       mode_t mode, const std::string& path);

/// The same in the place of whatever has the name; a link is replaced and not followed. The mode of a file
/// that is there, and where we may its owner, are kept; that of a new one follows the umask. What a kill can
/// leave: replace_file() (base/file.hpp).
[[nodiscard]] Result<void> replace_entry(int directory, const std::string& name, std::string_view content,
                                         const std::string& path);

/// Whether the entry of a directory such as /tmp, sticky and everybody's to write to, belongs neither to us
/// nor to the directory's owner: then somebody may have put it there for us to find. So the kernel decides
/// for fs.protected_symlinks and fs.protected_regular (proc_sys_fs(5)), where these are on.
[[nodiscard]] bool is_planted(const struct stat& entry, const struct stat& parent);

/// Which regular files are read.
enum class Accept : std::uint8_t {
    any,
    not_planted,  ///< see is_planted()
    sole          ///< not planted, and without another name (a hard link), which may not be meant to be read
};
/// The whole of a regular file, opened without following a link and without waiting for anybody, such as
/// whoever writes to a named pipe or holds a lease (fcntl(2)). Empty where nothing has the name.
[[nodiscard]] Result<std::optional<std::string>> read_entry(int directory, const std::string& name,
                                                            std::size_t limit, Accept accept,
                                                            const std::string& path);

/// Sixteen digits that nobody can guess.
[[nodiscard]] std::string random_name();

}  // namespace callcensus
