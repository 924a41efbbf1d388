// What we read of /proc. A task can be gone at any moment, so everything is optional.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callcensus::procfs {

struct TaskStatus {
    pid_t process = 0;       // Tgid
    pid_t parent = 0;        // PPid
    pid_t tracer = 0;        // TracerPid
    bool has_ended = false;  // a zombie: nobody has asked for its status yet, or its other threads live on
    int seccomp = 0;         // 0 none, 1 strict, 2 filter
    uid_t user = 0;          // effective, Uid's second
    gid_t group = 0;         // effective, Gid's second
};
[[nodiscard]] std::optional<TaskStatus> task_status(pid_t tid);

[[nodiscard]] bool is_thread_of(pid_t process, pid_t tid);
/// All that there are in this moment, or nearly so; the leader first where it lives.
[[nodiscard]] std::vector<pid_t> threads(pid_t process);

/// The system call that a stopped or blocked task is in or has just come back from; empty where it was in the
/// middle of its own code. proc(5), syscall.
struct CallInProgress {
    std::uint64_t number = 0;
    std::array<std::uint64_t, 6> arguments{};
    std::uint64_t stack_pointer = 0;
    std::uint64_t instruction_pointer = 0;
};
[[nodiscard]] std::optional<CallInProgress> call_in_progress(pid_t tid);

/// The arguments of a process's command line, without empty ones and without the padding of a title that a
/// process has written over them; empty where it has none (a zombie, a kernel thread).
[[nodiscard]] std::vector<std::string> command_line(pid_t process);

/// A directory as the kernel tells it from all others.
struct DirectoryId {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const DirectoryId&, const DirectoryId&) = default;
};
/// The root directory of a task. Takes the right to ptrace it.
[[nodiscard]] std::optional<DirectoryId> root_directory(pid_t tid);
/// "mnt:[4026531841]"; empty without the right to ptrace it.
[[nodiscard]] std::string mount_namespace(pid_t tid);

/// What one of a task's file descriptors stands for: "/run/x", "socket:[123]"; empty where it is not open.
[[nodiscard]] std::string descriptor(pid_t tid, int fd);

/// The path of the program that a task runs, or `[name]` where the kernel does not tell (execute-only
/// programs, other users' processes).
[[nodiscard]] std::string executable(pid_t tid);

/// A line of proc(5), maps.
struct Mapping {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool is_executable = false;
    std::uint64_t offset = 0;  ///< in the file
    dev_t device = 0;          ///< of its file system, as in proc(5), mountinfo
    std::uint64_t inode = 0;   ///< 0 where there is no file
    std::string name;          ///< the file's path, "[heap]" and the like, or empty
};
[[nodiscard]] std::optional<Mapping> parse_mapping(std::string_view line);
/// What a task's process can execute, by address. Takes the right to ptrace it.
[[nodiscard]] std::vector<Mapping> executable_mappings(pid_t tid);

/// A line of proc(5), mountinfo.
struct Mount {
    dev_t device = 0;
    std::string type;  ///< "ext4", "fuse.sshfs"
};
[[nodiscard]] std::optional<Mount> parse_mount(std::string_view line);
/// Whether a file system that a task has mounted is FUSE: a process serves it, and whoever opens or reads a
/// file of it waits for that process.
[[nodiscard]] bool is_served_by_a_process(pid_t tid, dev_t device);

/// The processor that a task ran on last. proc(5), stat, field 39.
[[nodiscard]] std::optional<int> processor(pid_t tid);

/// How many tasks of the whole machine run or wait for a processor now, ourselves included. proc(5), loadavg.
[[nodiscard]] int runnable_tasks();

/// Whether standard input, output or error of a process is the terminal that is our standard error.
[[nodiscard]] bool uses_our_terminal(pid_t process);

/// Every process of the system that is visible.
[[nodiscard]] std::vector<pid_t> processes();

/// A file of one value as a string, without its last newline; empty where it cannot be read.
[[nodiscard]] std::string read_line(const std::string& path);

}  // namespace callcensus::procfs
