#include "record/ptrace/injection.hpp"

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace callcensus::ptrace {

#if defined(__x86_64__)
namespace {

constexpr std::uint64_t code_segment_64 = 0x33;  // __USER_CS, arch/x86/include/asm/segment.h
constexpr std::array syscall_instruction{std::byte{0x0f}, std::byte{0x05}};

// ERESTARTSYS to ERESTART_RESTARTBLOCK (include/linux/errno.h): never seen by the program, unless a
// tracer looks.
bool will_be_restarted(std::int64_t result) { return result <= -512 && result >= -516; }

// Memory as the kernel is to find it: the description of the program, then the program.
std::vector<std::byte> image_of(const Filter& filter) {
    std::vector<std::byte> image(sizeof(sock_fprog) + filter.size() * sizeof(sock_filter));
    std::memcpy(image.data() + sizeof(sock_fprog), filter.data(), filter.size() * sizeof(sock_filter));
    return image;
}

}  // namespace

bool Injection::implemented() { return true; }

bool Injection::possible_at(const StoppedTask& task) {
    const auto registers = task.registers();
    if (!registers || registers->cs != code_segment_64) return false;
    const auto result = static_cast<std::int64_t>(registers->rax);
    std::array<std::byte, syscall_instruction.size()> instruction{};
    return !will_be_restarted(result) && result != -EINTR &&
           task.read(registers->rip - instruction.size(), instruction) && instruction == syscall_instruction;
}

std::optional<Injection> Injection::begin(const StoppedTask& task, const Filter& filter,
                                          bool may_set_no_new_privs) {
    const auto registers = task.registers();
    const auto mask = task.signal_mask();
    if (!registers || !mask || !task.set_signal_mask(~std::uint64_t{0})) return std::nullopt;
    Injection injection;
    injection.registers_ = *registers;
    injection.signal_mask_ = *mask;
    injection.may_set_no_new_privs_ = may_set_no_new_privs;
    injection.image_ = image_of(filter);
    injection.call(task, Step::map, SYS_mmap,
                   {0, injection.image_.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    ~std::uint64_t{0}, 0});
    return injection;
}

void Injection::call(const StoppedTask& task, Step step, std::uint64_t number,
                     std::initializer_list<std::uint64_t> arguments) {
    user_regs_struct registers = registers_;
    registers.rip -= syscall_instruction.size();
    registers.rax = number;
    const std::array places{&registers.rdi, &registers.rsi, &registers.rdx,
                            &registers.r10, &registers.r8,  &registers.r9};
    std::size_t place = 0;
    for (const std::uint64_t argument : arguments) *places[place++] = argument;
    step_ = step;
    // A task that has died meanwhile is told by its wait status.
    [[maybe_unused]] const bool alive = task.set_registers(registers);
}

void Injection::load(const StoppedTask& task, Step step) {
    call(task, step, SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, address_});
}

void Injection::unmap(const StoppedTask& task) {
    call(task, Step::unmap, SYS_munmap, {address_, image_.size()});
}

Injection::Progress Injection::advance(const StoppedTask& task) {
    const auto registers = task.registers();
    if (!registers) return Progress::under_way;  // dead
    const auto result = static_cast<std::int64_t>(registers->rax);
    switch (step_) {
        case Step::map: {
            if (result < 0 && result > -4096) break;
            address_ = registers->rax;
            const auto size = image_.size() - sizeof(sock_fprog);
            sock_fprog program{static_cast<unsigned short>(size / sizeof(sock_filter)),
                               reinterpret_cast<sock_filter*>(address_ + sizeof(sock_fprog))};
            std::memcpy(image_.data(), &program, sizeof program);
            if (task.write(address_, image_))
                load(task, Step::load);
            else
                unmap(task);
            return Progress::under_way;
        }
        case Step::load:
            if (result == -EACCES && may_set_no_new_privs_) {
                call(task, Step::give_up_privileges, SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0});
                return Progress::under_way;
            }
            [[fallthrough]];
        case Step::load_again:
            // A positive result names a thread with another filter: the program has one of its own.
            loaded_ = result == 0;
            unmap(task);
            return Progress::under_way;
        case Step::give_up_privileges:
            has_set_no_new_privs_ = result == 0;
            load(task, Step::load_again);
            return Progress::under_way;
        case Step::unmap:
            break;
    }
    [[maybe_unused]] const bool alive = task.set_registers(registers_) && task.set_signal_mask(signal_mask_);
    return loaded_ ? Progress::loaded : Progress::refused;
}

#else

bool Injection::implemented() { return false; }
bool Injection::possible_at(const StoppedTask&) { return false; }
std::optional<Injection> Injection::begin(const StoppedTask&, const Filter&, bool) { return std::nullopt; }
Injection::Progress Injection::advance(const StoppedTask&) { return Progress::refused; }

#endif

}  // namespace callcensus::ptrace
