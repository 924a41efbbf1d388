#include "base/procfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"

namespace callcensus::procfs {
namespace {

// To its end: what a task decides on can be long. `Groups:` in status has up to 65,536 numbers, and what
// comes after it counts. A command line has no limit of its own; nobody needs more of it than this.
std::string read_whole(const std::string& path) {
    constexpr std::size_t at_once = 4096;
    constexpr std::size_t most = std::size_t{1} << 20;
    std::string text;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return text;
    for (std::size_t next = at_once; text.size() < most; next *= 2) {
        const std::size_t kept = text.size();
        text.resize(kept + next);
        const ssize_t size = ::read(file.get(), text.data() + kept, next);
        text.resize(kept + (size > 0 ? static_cast<std::size_t>(size) : 0));
        if (size <= 0) break;
    }
    return text;
}

// Of a file that can be long (65,530 lines of maps), of which little is kept.
template <class Visit>
void for_each_line(const std::string& path, Visit visit) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    constexpr std::size_t at_once = 16384;
    std::string text;
    for (;;) {
        const std::size_t kept = text.size();
        text.resize(kept + at_once);
        const ssize_t size = ::read(file.get(), text.data() + kept, at_once);
        text.resize(kept + (size > 0 ? static_cast<std::size_t>(size) : 0));
        if (size <= 0) return;
        std::size_t begin = 0;
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            visit(std::string_view(text).substr(begin, end - begin));
            begin = end + 1;
        }
        text.erase(0, begin);
    }
}

// What a link of /proc leads to, by its text alone; empty where it cannot be read.
std::string read_link(const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

std::string of_task(pid_t tid, const char* name) { return "/proc/" + std::to_string(tid) + "/" + name; }

// The number after a key; of several, that at `position`. Ids reach beyond int, pids do not.
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

std::vector<pid_t> numbered_entries(const std::string& path) {
    std::vector<pid_t> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) return found;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(entry->d_name);
        pid_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size()) found.push_back(number);
    }
    return found;
}

}  // namespace

std::optional<TaskStatus> task_status(pid_t tid) {
    const std::string status = read_whole(of_task(tid, "status"));
    if (status.empty()) return std::nullopt;
    // The name of the task comes first and is its own to choose: look after it.
    const std::string_view fields =
        std::string_view(status).substr(std::min(status.find('\n'), status.size()));
    TaskStatus task;
    task.process = field(fields, "\nTgid:");
    task.parent = field(fields, "\nPPid:");
    task.tracer = field(fields, "\nTracerPid:");
    task.has_ended = fields.find("\nState:\tZ") != std::string_view::npos ||
                     fields.find("\nState:\tX") != std::string_view::npos;
    task.seccomp = field(fields, "\nSeccomp:");
    task.user = field<uid_t>(fields, "\nUid:", 2);
    task.group = field<gid_t>(fields, "\nGid:", 2);
    return task;
}

bool is_thread_of(pid_t process, pid_t tid) {
    return ::access(of_task(process, ("task/" + std::to_string(tid)).c_str()).c_str(), F_OK) == 0;
}

std::string executable(pid_t tid) {
    const std::string path = read_link(of_task(tid, "exe"));
    // runc runs from a copy of itself in a detached mount, whose path is "/".
    if (path.size() > 1) return path;
    return "[" + read_line(of_task(tid, "comm")) + "]";
}

std::optional<Mapping> parse_mapping(std::string_view line) {
    // "7f1c-7f1d r-xp 00026000 fe:00 1234     /usr/lib/libc.so.6"
    const char* at = line.data();
    const char* const end = line.data() + line.size();
    const auto number = [&](std::uint64_t& value, int base, char separator) {
        const auto [next, error] = std::from_chars(at, end, value, base);
        if (error != std::errc() || next == end || *next != separator) return false;
        at = next + 1;
        return true;
    };
    Mapping mapping;
    std::uint64_t major_number = 0;
    std::uint64_t minor_number = 0;
    if (!number(mapping.begin, 16, '-') || !number(mapping.end, 16, ' ') || end - at < 5) return std::nullopt;
    mapping.is_executable = at[2] == 'x';
    at += 5;
    if (!number(mapping.offset, 16, ' ') || !number(major_number, 16, ':') ||
        !number(minor_number, 16, ' ') || !number(mapping.inode, 10, ' '))
        return std::nullopt;
    mapping.device = ::makedev(static_cast<unsigned>(major_number), static_cast<unsigned>(minor_number));
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    mapping.name = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    return mapping;
}

std::vector<Mapping> executable_mappings(pid_t tid) {
    std::vector<Mapping> mappings;
    for_each_line(of_task(tid, "maps"), [&](std::string_view line) {
        const auto flags = line.find(' ') + 1;
        if (flags + 2 >= line.size() || line[flags + 2] != 'x') return;
        if (auto mapping = parse_mapping(line)) mappings.push_back(std::move(*mapping));
    });
    return mappings;
}

std::optional<Mount> parse_mount(std::string_view line) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
    const char* at = line.data();
    const char* const end = line.data() + line.size();
    const auto number = [&](unsigned& value, char separator) {
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc() || next == end || *next != separator) return false;
        at = next + 1;
        return true;
    };
    unsigned id = 0;
    unsigned parent = 0;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    if (!number(id, ' ') || !number(parent, ' ') || !number(major_number, ':') || !number(minor_number, ' '))
        return std::nullopt;
    // Spaces in paths are written \040.
    constexpr std::string_view separator = " - ";
    const auto next = line.find(separator);
    if (next == std::string_view::npos) return std::nullopt;
    const auto type = line.substr(next + separator.size());
    return Mount{::makedev(major_number, minor_number), std::string(type.substr(0, type.find(' ')))};
}

bool is_served_by_a_process(pid_t tid, dev_t device) {
    bool is_fuse = false;
    for_each_line(of_task(tid, "mountinfo"), [&](std::string_view line) {
        const auto mount = parse_mount(line);
        // "fuse", "fuse.NAME", "fuseblk"; but not that by which the kernel shows FUSE's own state.
        if (mount && mount->device == device && mount->type.rfind("fuse", 0) == 0 && mount->type != "fusectl")
            is_fuse = true;
    });
    return is_fuse;
}

std::optional<int> processor(pid_t tid) {
    const std::string stat = read_whole(of_task(tid, "stat"));
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

std::vector<pid_t> processes() { return numbered_entries("/proc"); }

std::vector<pid_t> threads(pid_t process) { return numbered_entries(of_task(process, "task")); }

std::optional<CallInProgress> call_in_progress(pid_t tid) {
    // "35 0x7ffd 0x0 0x0 0x0 0x0 0x0 0x7ffd 0x7f3a": number, arguments, stack and instruction pointer; for
    // a task in its own code "-1" and the pointers, for one that runs "running".
    const std::string line = read_line(of_task(tid, "syscall"));
    if (line.empty() || line.front() < '0' || line.front() > '9') return std::nullopt;
    CallInProgress call;
    const char* at = line.c_str();
    char* end = nullptr;
    call.number = std::strtoull(at, &end, 10);
    for (std::uint64_t& argument : call.arguments) argument = std::strtoull(end, &end, 16);
    call.stack_pointer = std::strtoull(end, &end, 16);
    call.instruction_pointer = std::strtoull(end, &end, 16);
    return call;
}

std::vector<std::string> command_line(pid_t process) {
    const std::string text = read_whole(of_task(process, "cmdline"));
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        std::string argument = text.substr(at, end - at);
        // A process that writes a title over its arguments pads it.
        argument.erase(argument.find_last_not_of(' ') + 1);
        if (!argument.empty()) arguments.push_back(std::move(argument));
        at = end + 1;
    }
    return arguments;
}

std::optional<DirectoryId> root_directory(pid_t tid) {
    struct stat root {};
    if (::stat(of_task(tid, "root").c_str(), &root) != 0) return std::nullopt;
    return DirectoryId{root.st_dev, root.st_ino};
}

std::string mount_namespace(pid_t tid) { return read_link(of_task(tid, "ns/mnt")); }

std::string descriptor(pid_t tid, int fd) { return read_link(of_task(tid, "fd/") + std::to_string(fd)); }

std::string read_line(const std::string& path) {
    std::string text = read_whole(path);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace callcensus::procfs
