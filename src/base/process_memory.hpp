// Memory of another process, as far as that itself may read or write it: process_vm_readv(2). Takes the right
// to ptrace it. Of a process that has died there is none.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace callcensus {

/// All of it, or false.
[[nodiscard]] bool read_memory(pid_t tid, std::uint64_t address, std::span<std::byte> bytes);
[[nodiscard]] bool write_memory(pid_t tid, std::uint64_t address, std::span<const std::byte> bytes);

/// As many bytes as there are before the first that cannot be read, at most `size`.
[[nodiscard]] std::string read_memory_up_to(pid_t tid, std::uint64_t address, std::size_t size);

}  // namespace callcensus
