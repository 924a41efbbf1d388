#include "record/ptrace/stopped_task.hpp"

#include <sys/uio.h>
#include <sys/user.h>

#include <cerrno>
#include <cstddef>

namespace callcensus::ptrace {
namespace {

void* as_pointer(std::uint64_t value) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(value)); }

#if defined(__x86_64__)
// A 64-bit tracer sees the 64-bit register file for 32-bit tasks too; `int 0x80` and sysenter take their
// first argument from ebx, `syscall` from rdi, so the code that runs decides, not the kind of program.
template <class Change>
bool change_registers(pid_t tid, Change change) {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, tid, nullptr, &registers) != 0) return false;
    change(registers);
    return ::ptrace(PTRACE_SETREGS, tid, nullptr, &registers) == 0;
}
#endif

}  // namespace

std::optional<__ptrace_syscall_info> StoppedTask::syscall_info() const {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, tid_, as_pointer(sizeof info), &info) < 0) return std::nullopt;
    return info;
}

std::optional<unsigned long> StoppedTask::event_message() const {
    unsigned long message = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, tid_, nullptr, &message) != 0) return std::nullopt;
    return message;
}

std::optional<std::uint64_t> StoppedTask::read_word(std::uint64_t address) const {
    std::uint64_t value = 0;
    iovec local{&value, sizeof value};
    iovec remote{as_pointer(address), sizeof value};
    if (::process_vm_readv(tid_, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(sizeof value))
        return std::nullopt;
    return value;
}

bool StoppedTask::write_word(std::uint64_t address, std::uint64_t value) const {
    // PTRACE_POKEDATA and not process_vm_writev: it also writes to pages that are read-only to the task.
    for (std::size_t offset = 0; offset < sizeof value; offset += sizeof(long)) {
        const auto word = static_cast<unsigned long>(value >> (8 * offset));
        if (::ptrace(PTRACE_POKEDATA, tid_, as_pointer(address + offset), as_pointer(word)) != 0)
            return false;
    }
    return true;
}

#if defined(__x86_64__)

bool StoppedTask::set_first_argument(std::uint64_t value) const {
    const auto info = syscall_info();
    if (!info) return false;
    constexpr std::uint32_t audit_arch_i386 = 0x40000003;
    return change_registers(tid_, [&](user_regs_struct& registers) {
        (info->arch == audit_arch_i386 ? registers.rbx : registers.rdi) = value;
    });
}

bool StoppedTask::set_syscall_number(std::int64_t number) const {
    return change_registers(
        tid_, [&](user_regs_struct& registers) { registers.orig_rax = static_cast<std::uint64_t>(number); });
}

bool StoppedTask::set_result(std::int64_t value) const {
    return change_registers(
        tid_, [&](user_regs_struct& registers) { registers.rax = static_cast<std::uint64_t>(value); });
}

#else

bool StoppedTask::set_first_argument(std::uint64_t) const { return false; }
bool StoppedTask::set_syscall_number(std::int64_t) const { return false; }
bool StoppedTask::set_result(std::int64_t) const { return false; }

#endif

bool StoppedTask::resume(int signal) && {
    return ::ptrace(PTRACE_SYSCALL, tid_, nullptr, as_pointer(static_cast<std::uint64_t>(signal))) == 0;
}

bool StoppedTask::listen() && { return ::ptrace(PTRACE_LISTEN, tid_, nullptr, nullptr) == 0; }

bool StoppedTask::detach(int signal) && {
    return ::ptrace(PTRACE_DETACH, tid_, nullptr, as_pointer(static_cast<std::uint64_t>(signal))) == 0;
}

}  // namespace callcensus::ptrace
