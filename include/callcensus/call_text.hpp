/// A system call for people, with its arguments decoded where that is cheap and safe:
///
///     openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC)
///     connect(3<socket:[4242]>, {AF_UNIX "/run/x"}, 110)
///     clone3({flags=CLONE_NEWUSER, exit_signal=SIGCHLD}, 88)
///     number 999(0x1, 0x2, 0, 0, 0, 0)
///
/// For reading, not for deciding: what a pointer leads to can be changed by other threads before the kernel
/// looks at it. Buffers to be written or sent are not shown: they may hold secrets. Constants that the table
/// does not know are shown as numbers, calls that it does not know with all six arguments.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "callcensus/abi.hpp"
#include "callcensus/event.hpp"

namespace callcensus {

/// What can be learned from the task that makes the call. Either function may be missing.
struct TargetView {
    /// Up to `size` bytes from `address` on: as many as there are before the first that cannot be read.
    std::function<std::string(std::uint64_t address, std::size_t size)> read_memory;
    /// What a descriptor stands for: "/run/x", "socket:[4242]"; empty where it is not open.
    std::function<std::string(int fd)> fd_path;
};

/// One line, of about 300 characters at most.
[[nodiscard]] std::string call_text(Syscall call, const std::array<std::uint64_t, 6>& arguments,
                                    const TargetView& view);

/// The same of a task that is stopped at the call; takes the right to ptrace it, as its tracer has it. Of a
/// task that has died in the meantime less is decoded.
[[nodiscard]] std::string call_text(const SyscallSeen& seen);

}  // namespace callcensus
