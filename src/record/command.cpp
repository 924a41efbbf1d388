#include "record/command.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "base/unique_fd.hpp"

namespace callcensus {
namespace {

// 0 where the file can be given to execve.
int why_not_executable(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno;
    if (S_ISDIR(status.st_mode)) return EISDIR;
    if (!S_ISREG(status.st_mode)) return EACCES;
    return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace

Command find_command(const std::string& name, const std::string& search_path) {
    if (name.empty()) return {{}, ENOENT};
    if (name.find('/') != std::string::npos) {
        const int errnum = why_not_executable(name);
        return {errnum == 0 ? name : std::string(), errnum};
    }
    int remembered = ENOENT;
    for (std::size_t begin = 0; begin <= search_path.size();) {
        const std::size_t end = std::min(search_path.find(':', begin), search_path.size());
        const std::string directory = search_path.substr(begin, end - begin);
        const std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
        const int errnum = why_not_executable(candidate);
        if (errnum == 0) return {candidate, 0};
        if (errnum == EACCES || errnum == EISDIR) remembered = errnum;
        begin = end + 1;
    }
    return {{}, remembered};
}

std::string search_path() {
    if (const char* path = std::getenv("PATH")) return path;
    std::string standard(::confstr(_CS_PATH, nullptr, 0), '\0');
    ::confstr(_CS_PATH, standard.data(), standard.size());
    if (!standard.empty()) standard.pop_back();  // its NUL
    return standard;
}

bool is_script_for_sh(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 128> buffer{};
    const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
    if (size < 0) return false;
    const std::string_view beginning(buffer.data(), static_cast<std::size_t>(size));
    return beginning.substr(0, beginning.find('\n')).find('\0') == std::string_view::npos;
}

}  // namespace callcensus
