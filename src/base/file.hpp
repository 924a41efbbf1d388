// Whole files: read with a limit, replaced atomically.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "callcensus/result.hpp"

namespace callcensus {

/// The whole of a regular file, pipe or standard input (`-`), refusing directories and more than `limit`
/// bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

/// Whether replace_file() could work, found out without leaving a trace: the directory exists and may be
/// written. A full disk shows only when writing.
[[nodiscard]] Result<void> check_replaceable(const std::string& path);

/// Writes `content` so that readers see the old file or the new one and never a part: into a new file beside
/// it, to disk, then renamed. Symbolic links are followed, an existing file's mode (and owner, where
/// permitted) are kept; devices and pipes are written to directly. After an error the earlier file is still
/// there.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view content);

/// Writes everything to a descriptor.
[[nodiscard]] Result<void> write_all(int fd, std::string_view content, const std::string& name);

}  // namespace callcensus
