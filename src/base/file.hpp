// Whole files: read with a limit, replaced atomically.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "callcensus/result.hpp"

namespace callcensus {

/// The whole of a regular file, pipe or standard input (`-`), refusing directories and more than `limit`
/// bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

/// The same of a descriptor, from where it is; `name` is for messages.
[[nodiscard]] Result<std::string> read_descriptor(int fd, std::size_t limit, const std::string& name);

/// `-`, and by its other name `/dev/stdout`: opening that anew fails where standard output is another user's
/// pipe.
[[nodiscard]] bool is_standard_output(const std::string& path);

/// How a message calls an output file.
[[nodiscard]] std::string output_name(const std::string& path);

/// Whether replace_file() could work, found out without leaving a trace: the directory exists and may be
/// written. A full disk shows only when writing.
[[nodiscard]] Result<void> check_replaceable(const std::string& path);

/// The file that a write to `path` would reach: symbolic links resolved, also to a file that does not exist
/// yet. A link that another user has put into a directory like /tmp is not followed.
[[nodiscard]] std::string behind_links(const std::string& path);

/// Whether writing to one would replace the other, links considered.
[[nodiscard]] bool are_same_file(const std::string& a, const std::string& b);

/// Whether the path can be a file of its own that is replaced: not a device or a pipe.
[[nodiscard]] bool is_regular_or_new(const std::string& path);

/// Writes `content` so that readers see the old file or the new one and never a part: into a new file in its
/// directory, to disk, then put in its place. Where the file system has files without names (O_TMPFILE)
/// nothing is left there however we are killed; only a kill between the last two calls, link and rename, can
/// leave `.NAME.callcensus-tmp`, which the next one to write the file removes. Symbolic links are followed,
/// an existing file's mode (and owner, where permitted) are kept; devices and pipes are written to directly.
/// After an error the earlier file is still there.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view content);

/// What the umask leaves of 0666.
[[nodiscard]] mode_t mode_for_a_new_file();

/// Writes everything to a descriptor. Beyond RLIMIT_FSIZE that is an error, EFBIG, and not SIGXFSZ.
[[nodiscard]] Result<void> write_all(int fd, std::string_view content, const std::string& name);

}  // namespace callcensus
