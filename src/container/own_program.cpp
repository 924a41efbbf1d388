#include "container/own_program.hpp"

#include <filesystem>

namespace callcensus {

Result<std::string> own_program() {
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return fail("tells not where this program lies", "/proc/self/exe", failed.value());
    // The kernel appends " (deleted)" where the file has been removed or replaced.
    if (!std::filesystem::exists(path, failed))
        return fail("is not there any more: run the program from where it is now", path.string());
    return path.string();
}

}  // namespace callcensus
