#include "base/process_memory.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace callcensus {
namespace {

iovec remote(std::uint64_t address, std::size_t size) {
    return {reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), size};
}

}  // namespace

bool read_memory(pid_t tid, std::uint64_t address, std::span<std::byte> bytes) {
    const iovec here{bytes.data(), bytes.size()};
    const iovec there = remote(address, bytes.size());
    return ::process_vm_readv(tid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes.size());
}

bool write_memory(pid_t tid, std::uint64_t address, std::span<const std::byte> bytes) {
    const iovec here{const_cast<std::byte*>(bytes.data()), bytes.size()};
    const iovec there = remote(address, bytes.size());
    return ::process_vm_writev(tid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes.size());
}

// A transfer that ends early is promised between iovecs only (process_vm_readv(2)), so that none crosses the
// end of a page.
std::string read_memory_up_to(pid_t tid, std::uint64_t address, std::size_t size) {
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::vector<iovec> pieces;
    for (std::uint64_t at = address, end = address + size; at < end;) {
        const std::uint64_t piece = std::min(end - at, page - at % page);
        pieces.push_back(remote(at, static_cast<std::size_t>(piece)));
        at += piece;
    }
    std::string bytes(size, '\0');
    const iovec here{bytes.data(), bytes.size()};
    const ssize_t count = ::process_vm_readv(tid, &here, 1, pieces.data(), pieces.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
}

}  // namespace callcensus
