/// What a Recorder reports while it follows a process tree: decoded, in order, one value for each thing that
/// happened. A RecordingBuilder turns the stream into a Recording.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "callcensus/abi.hpp"

namespace callcensus {

/// A task (a thread in the kernel's sense), told apart from a later one with the same tid by its serial
/// number. Serials start at 1; 0 stands for no task.
struct TaskId {
    pid_t tid = 0;  ///< in the recorder's pid namespace
    std::uint32_t serial = 0;

    friend bool operator==(const TaskId&, const TaskId&) = default;
};

/// How a process or task ended: by exiting with a code, or by a signal. wait(2).
struct ExitStatus {
    int code = 0;
    int signal = 0;  ///< 0 where it exited
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// Of whom the set of calls is exact where a process's known calls are not reported: its own set, its
/// executable's (over all processes that run it), or only that of the whole tree.
enum class Scope : std::uint8_t { process, executable, tree };

/// Everything that the target names is being followed: nothing escapes from here on. Comes once, first of all
/// where the target ran before.
struct Following {
    std::size_t tasks = 0;
};

/// A task begins to be followed. It is either a further thread of `process` or the first task of a new one.
struct TaskStarted {
    TaskId task;
    TaskId creator;                ///< who made it; serial 0 where that is unknown, as for the first task
    pid_t process = 0;             ///< thread group id; equals task.tid for a new process
    std::string executable;        ///< what it runs so far; empty: the same as its creator
    Scope scope = Scope::process;  ///< wider: as if Released had come for it, which it has for its creator
};

/// A task has begun to run another program (execve has succeeded). Every other thread of its process is gone.
struct Execed {
    TaskId task;
    std::string executable;  ///< absolute path, or `[name]` where the kernel does not tell the path
};

/// A task enters a system call. Whether it also returns from it is told by SyscallReturned. The task is
/// stopped while the event is handled, so that its memory, mappings and descriptors can be looked at
/// (attribution.hpp, call_text.hpp).
struct SyscallSeen {
    TaskId task;
    Syscall call{};
    std::array<std::uint64_t, 6> arguments{};
    /// Behind the instruction that makes the call; 0 where it is not known, as of an execve that has replaced
    /// its program.
    std::uint64_t instruction_pointer = 0;
    std::uint64_t stack_pointer = 0;
};

/// A task has come back from the call that it had entered.
struct SyscallReturned {
    TaskId task;
    Syscall call{};
    /// The result, or a negative errno where is_error (kernel-internal ones included).
    std::int64_t value = 0;
    bool is_error = false;
};

/// From here on the process of the task runs without being stopped at calls that are known already: of these,
/// how often and with what result is no longer told. Calls not yet known are reported as ever.
struct Released {
    TaskId task;
    Scope scope = Scope::tree;
};

struct TaskExited {
    TaskId task;
    ExitStatus status;
};

/// Something that the recording should hold could not be seen: the recording is not complete.
struct Lost {
    std::string what;
};

/// Something that the user should know but that costs no completeness.
struct Noted {
    std::string what;
};

/// Comes about as often as the Plan asks for, whether or not anything happened.
struct Tick {};

using Event = std::variant<Following, TaskStarted, Execed, SyscallSeen, SyscallReturned, Released, TaskExited,
                           Lost, Noted, Tick>;

}  // namespace callcensus
