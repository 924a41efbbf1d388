#include "base/salvage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.hpp"
#include "base/new_file.hpp"

namespace callcensus {
namespace {

// The recording holds command lines and the names of files, and the directory may be everybody's.
constexpr mode_t ours_alone = 0600;
// How many of our names somebody has to have taken before we look elsewhere.
constexpr int attempts = 3;

// Where others can make files, a name that they can foresee is a name that they can take.
std::string name_in(int directory, int attempt) {
    const std::string begin = fmt::format("callcensus-{}", ::getpid());
    const bool can_be_foreseen = attempt == 0 && !is_shared(directory);
    return begin + (can_be_foreseen ? "" : "-" + random_name()) + ".recording.json";
}

}  // namespace

std::string salvage(std::string_view recording, const std::string& beside) {
    std::error_code failed;
    std::vector<std::string> directories{
        is_regular_or_new(beside) ? std::filesystem::absolute(beside, failed).parent_path().string()
                                  : std::filesystem::current_path(failed).string()};
    if (const char* temporary = std::getenv("TMPDIR")) directories.emplace_back(temporary);
    directories.insert(directories.end(), {"/tmp", "/var/tmp", "/dev/shm"});
    for (const std::string& where : directories) {
        const UniqueFd directory = open_directory(where);
        for (int attempt = 0; directory && attempt < attempts; ++attempt) {
            const std::string name = name_in(directory.get(), attempt);
            std::string path = where + "/" + name;
            const auto made = create_file(directory.get(), name, recording, ours_alone, path);
            if (!made) break;
            if (*made) return path;
        }
    }
    return {};
}

}  // namespace callcensus
