#include "record/ptrace/stopped_task.hpp"

#include <cerrno>

#include "base/process_memory.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

void* as_pointer(std::uint64_t value) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(value)); }

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
    if (!read(address, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
    return value;
}

bool StoppedTask::read(std::uint64_t address, std::span<std::byte> bytes) const {
    return read_memory(tid_, address, bytes);
}

bool StoppedTask::write(std::uint64_t address, std::span<const std::byte> bytes) const {
    return write_memory(tid_, address, bytes);
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
namespace {

// `int 0x80` and sysenter take their first argument from ebx, `syscall` from rdi, so the code that runs
// decides, not the kind of program.
template <class Change>
bool change_registers(const StoppedTask& task, Change change) {
    auto registers = task.registers();
    if (!registers) return false;
    change(*registers);
    return task.set_registers(*registers);
}

}  // namespace

std::optional<user_regs_struct> StoppedTask::registers() const {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, tid_, nullptr, &registers) != 0) return std::nullopt;
    return registers;
}

bool StoppedTask::set_registers(const user_regs_struct& registers) const {
    return ::ptrace(PTRACE_SETREGS, tid_, nullptr, &registers) == 0;
}

bool StoppedTask::set_first_argument(std::uint64_t value) const {
    const auto info = syscall_info();
    if (!info) return false;
    constexpr std::uint32_t audit_arch_i386 = 0x40000003;
    return change_registers(*this, [&](user_regs_struct& registers) {
        (info->arch == audit_arch_i386 ? registers.rbx : registers.rdi) = value;
    });
}

bool StoppedTask::set_syscall_number(std::int64_t number) const {
    return change_registers(
        *this, [&](user_regs_struct& registers) { registers.orig_rax = static_cast<std::uint64_t>(number); });
}

std::optional<std::int64_t> StoppedTask::result() const {
    const auto values = registers();
    return values ? std::optional(static_cast<std::int64_t>(values->rax)) : std::nullopt;
}

bool StoppedTask::set_result(std::int64_t value) const {
    return change_registers(
        *this, [&](user_regs_struct& registers) { registers.rax = static_cast<std::uint64_t>(value); });
}

#else

bool StoppedTask::set_first_argument(std::uint64_t) const { return false; }
bool StoppedTask::set_syscall_number(std::int64_t) const { return false; }
bool StoppedTask::set_result(std::int64_t) const { return false; }
std::optional<std::int64_t> StoppedTask::result() const { return std::nullopt; }

#endif

std::optional<std::uint64_t> StoppedTask::signal_mask() const {
    std::uint64_t mask = 0;
    if (::ptrace(PTRACE_GETSIGMASK, tid_, as_pointer(sizeof mask), &mask) != 0) return std::nullopt;
    return mask;
}

bool StoppedTask::set_signal_mask(std::uint64_t mask) const {
    return ::ptrace(PTRACE_SETSIGMASK, tid_, as_pointer(sizeof mask), &mask) == 0;
}

bool StoppedTask::resume(Until until, int signal) && {
    const auto request = until == Until::next_call ? PTRACE_SYSCALL : PTRACE_CONT;
    return ::ptrace(request, use_up(), nullptr, as_pointer(static_cast<std::uint64_t>(signal))) == 0;
}

void StoppedTask::set_options(long options) const {
    ::ptrace(PTRACE_SETOPTIONS, tid_, nullptr, as_pointer(static_cast<std::uint64_t>(options)));
}

void StoppedTask::interrupt() const { ptrace::interrupt(tid_); }

bool StoppedTask::listen() && { return ::ptrace(PTRACE_LISTEN, use_up(), nullptr, nullptr) == 0; }

bool StoppedTask::detach(int signal) && {
    return ::ptrace(PTRACE_DETACH, use_up(), nullptr, as_pointer(static_cast<std::uint64_t>(signal))) == 0;
}

}  // namespace callcensus::ptrace
