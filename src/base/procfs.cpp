#include "base/procfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/unique_fd.hpp"

namespace callcensus::procfs {
namespace {

// Files in /proc are read whole by one read(2) where they fit the buffer.
std::string read_small_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string of_task(pid_t tid, const char* name) { return "/proc/" + std::to_string(tid) + "/" + name; }

// The number behind a key; of several, that at `position`. Ids reach beyond int, pids do not.
template <class Number = int>
Number field(std::string_view status, std::string_view key, int position = 1) {
    auto at = status.find(key);
    if (at == std::string_view::npos) return 0;
    at += key.size();
    Number value = 0;
    for (; position > 0; --position) {
        at = status.find_first_not_of(" \t", at);
        if (at == std::string_view::npos) return 0;
        const auto [end, error] = std::from_chars(status.data() + at, status.data() + status.size(), value);
        at = static_cast<std::size_t>(end - status.data());
    }
    return value;
}

}  // namespace

std::optional<TaskStatus> task_status(pid_t tid) {
    const std::string status = read_small_file(of_task(tid, "status"));
    if (status.empty()) return std::nullopt;
    // The name of the task comes first and is its own to choose: look behind it.
    const std::string_view fields =
        std::string_view(status).substr(std::min(status.find('\n'), status.size()));
    return TaskStatus{field(fields, "\nTgid:"),          field(fields, "\nPPid:"),
                      field(fields, "\nTracerPid:"),     field(fields, "\nSeccomp:"),
                      field<uid_t>(fields, "\nUid:", 2), field<gid_t>(fields, "\nGid:", 2)};
}

bool is_thread_of(pid_t process, pid_t tid) {
    return ::access(of_task(process, ("task/" + std::to_string(tid)).c_str()).c_str(), F_OK) == 0;
}

std::string executable(pid_t tid) {
    std::array<char, PATH_MAX> path{};
    const ssize_t length = ::readlink(of_task(tid, "exe").c_str(), path.data(), path.size());
    if (length > 0) return {path.data(), static_cast<std::size_t>(length)};
    return "[" + read_line(of_task(tid, "comm")) + "]";
}

std::optional<int> processor(pid_t tid) {
    const std::string stat = read_small_file(of_task(tid, "stat"));
    auto at = stat.rfind(')');  // the name, field 2, may hold anything
    if (at == std::string::npos) return std::nullopt;
    for (int field = 2; field < 39; ++field) {
        at = stat.find(' ', at + 1);
        if (at == std::string::npos) return std::nullopt;
    }
    int value = -1;
    std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), value);
    return value >= 0 ? std::optional(value) : std::nullopt;
}

int runnable_tasks() {
    // "0.20 0.18 0.12 1/80 11206": the fourth field
    const std::string line = read_line("/proc/loadavg");
    std::string_view rest = line;
    for (int field = 1; field < 4; ++field) rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
    int runnable = 1;
    std::from_chars(rest.data(), rest.data() + rest.size(), runnable);
    return runnable;
}

bool uses_our_terminal(pid_t process) {
    struct stat ours {};
    if (::fstat(STDERR_FILENO, &ours) != 0) return false;
    for (const char* const file : {"fd/0", "fd/1", "fd/2"}) {
        struct stat theirs {};
        if (::stat(of_task(process, file).c_str(), &theirs) == 0 && S_ISCHR(theirs.st_mode) &&
            theirs.st_rdev == ours.st_rdev)
            return true;
    }
    return false;
}

std::vector<pid_t> processes() {
    std::vector<pid_t> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
    if (!directory) return found;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(entry->d_name);
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc() && end == name.data() + name.size()) found.push_back(pid);
    }
    return found;
}

std::string read_line(const std::string& path) {
    std::string text = read_small_file(path);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace callcensus::procfs
