// A file that somebody who asks for a recording has named, found without trusting the path: a directory that
// is open, and one name in it. See docs/containers.md, "Who may ask for what".
#pragma once

#include <optional>
#include <string>

#include "base/new_file.hpp"
#include "base/unique_fd.hpp"
#include "callcensus/result.hpp"
#include "container/hook_request.hpp"

namespace callcensus {

struct HookPlace {
    UniqueFd directory;
    std::string name;  ///< in it
    std::string path;  ///< as it was asked for, for messages
    Asker asker = Asker::stranger;

    /// Of an owner: anywhere, links followed. Of a stranger: below the directory that is his, with no link on
    /// the way (as openat2(2) has it by RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, and for any kernel).
    [[nodiscard]] static Result<HookPlace> of(const std::string& path, const Limits& limits);

    /// Empty where there is no file.
    [[nodiscard]] Result<std::optional<std::string>> read(std::size_t limit, Accept of_owner) const;

    /// `p.json` as `p.2.json`, in the same directory.
    [[nodiscard]] std::string name_beside(int number) const;
    /// A name in the directory as a path.
    [[nodiscard]] std::string path_of(const std::string& other) const;
};

}  // namespace callcensus
