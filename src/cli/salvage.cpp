#include "cli/salvage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.hpp"
#include "callcensus/format.hpp"

namespace callcensus::cli {

std::string salvage(const Recording& recording, const std::string& beside) {
    const std::string content = write_recording(recording);
    const std::string name = fmt::format("/callcensus-{}.recording.json", ::getpid());
    std::error_code failed;
    std::vector<std::string> directories{
        is_regular_or_new(beside) ? std::filesystem::absolute(beside, failed).parent_path().string()
                                  : std::filesystem::current_path(failed).string()};
    if (const char* temporary = std::getenv("TMPDIR")) directories.emplace_back(temporary);
    directories.insert(directories.end(), {"/tmp", "/var/tmp", "/dev/shm"});
    for (const std::string& directory : directories) {
        const std::string path = directory + name;
        // Whatever is there already is not ours; a link that somebody has put there least of all.
        if (std::filesystem::exists(std::filesystem::symlink_status(path, failed))) continue;
        if (replace_file(path, content)) return path;
    }
    return {};
}

}  // namespace callcensus::cli
