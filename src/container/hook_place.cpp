#include "container/hook_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/file.hpp"

namespace callcensus {
namespace {

using Path = std::filesystem::path;

Result<HookPlace> anywhere(const std::string& path) {
    const Path file = behind_links(path);
    if (file.filename().empty()) return fail("names no file", path);
    UniqueFd directory = open_directory(file.parent_path().string());
    if (const int reason = errno; !directory)
        return reason == ENOENT ? fail("its directory does not exist: make it first", path)
                                : fail("its directory cannot be used", path, reason);
    return HookPlace{std::move(directory), file.filename().string(), path, Asker::owner};
}

// The names that lead from the directory to the file; none where it is not below.
std::vector<std::string> names_below(const Path& directory, const Path& file) {
    const auto [rest_of_directory, rest] =
        std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
    const bool is_whole = rest_of_directory == directory.end() ||
                          (rest_of_directory->empty() && std::next(rest_of_directory) == directory.end());
    if (directory.empty() || !is_whole) return {};
    std::vector<std::string> names(rest, file.end());
    if (!names.empty() && names.back().empty()) return {};  // with a slash at the end: a directory
    return names;
}

Result<HookPlace> below(const std::string& path, const std::string& directory) {
    std::error_code failed;
    const Path file = Path(path).lexically_normal();  // without any ".."
    std::vector<std::string> names = names_below(Path(directory).lexically_normal(), file);
    // The directory is the administrator's, who may have made a link of it.
    if (names.empty()) names = names_below(std::filesystem::weakly_canonical(directory, failed), file);
    if (names.empty())
        return fail("a container may name files below " + directory +
                        " only: whoever runs the engine chooses another directory by CALLCENSUS_DIRECTORY in "
                        "the runtime's own environment, or by --directory",
                    path);
    const std::string last = names.back();
    names.pop_back();
    UniqueFd reached = open_directory(directory);
    int reason = errno;
    for (auto name = names.begin(); reached && name != names.end(); ++name) {
        UniqueFd next(::openat(reached.get(), name->c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        reason = errno;
        reached = std::move(next);
    }
    if (reached) return HookPlace{std::move(reached), last, path, Asker::stranger};
    if (reason == ENOENT) return fail("its directory does not exist", path);
    return fail(reason == ENOTDIR || reason == ELOOP
                    ? "a part of it is no directory: a container may not go through a symbolic link"
                    : "its directory cannot be used",
                path);
}

}  // namespace

Result<HookPlace> HookPlace::of(const std::string& path, const Limits& limits) {
    return limits.asker == Asker::owner ? anywhere(path) : below(path, limits.directory);
}

Result<std::optional<std::string>> HookPlace::read(std::size_t limit, Accept of_owner) const {
    return read_entry(directory.get(), name, limit, asker == Asker::owner ? of_owner : Accept::sole, path);
}

std::string HookPlace::name_beside(int number) const {
    const Path file(name);
    return fmt::format("{}.{}{}", file.stem().string(), number, file.extension().string());
}

std::string HookPlace::path_of(const std::string& other) const {
    return (Path(path).parent_path() / other).string();
}

}  // namespace callcensus
