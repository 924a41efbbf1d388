// Loading a seccomp filter into a running process by calls that one of its threads is made to make.
//
// Begins where the thread stops at its exit from a call: the instruction pointer is moved back onto the
// `syscall` instruction, and the thread makes, one after the other,
//
//     mmap      memory of its own for the filter, never below the stack pointer: a goroutine's stack may have
//               no room there, and a red zone may be in use
//     seccomp   with TSYNC, so that all threads have the filter and the program's own later TSYNC finds them
//               alike
//     prctl     no_new_privs, only where the kernel demands it and the caller permits it; then seccomp again
//     munmap
//
// and has all its registers and its signal mask back. Signals are blocked meanwhile: a handler would
// otherwise run from the middle of a call that the program never made. Stops of other kinds (SIGSTOP, an
// event) may come in between and do no harm; a thread that dies takes its injection along.
//
// Not begun where the call is to be restarted (results -ERESTARTSYS and the like, and -EINTR, after which the
// thread may still hold the temporary signal mask of ppoll(2)), nor where the instruction before the pointer
// is not `syscall`: after rt_sigreturn, in the vsyscall page, in 32-bit code. x86_64 only.
#pragma once

#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bpf/filter.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {

class Injection {
  public:
    enum class Progress : std::uint8_t {
        under_way,
        loaded,   ///< the filter is on every thread of the process
        refused,  ///< the process goes on as it was
    };

    /// Whether this machine's code knows how.
    [[nodiscard]] static bool implemented();

    /// Whether a task at its exit from a system call can be made to make others here; at another call it may.
    [[nodiscard]] static bool possible_at(const StoppedTask& task);
    /// There. Empty where the task has died.
    [[nodiscard]] static std::optional<Injection> begin(const StoppedTask& task, const Filter& filter,
                                                        bool may_set_no_new_privs);

    /// To be called at each exit stop that follows, until it is no longer under way; then the task is as it
    /// was.
    [[nodiscard]] Progress advance(const StoppedTask& task);

    [[nodiscard]] bool has_set_no_new_privs() const { return has_set_no_new_privs_; }

  private:
    enum class Step : std::uint8_t { map, load, give_up_privileges, load_again, unmap };

    Injection() = default;
    void call(const StoppedTask& task, Step step, std::uint64_t number,
              std::initializer_list<std::uint64_t> arguments);
    void load(const StoppedTask& task, Step step);
    void unmap(const StoppedTask& task);

    Step step_ = Step::map;
    bool may_set_no_new_privs_ = false;
    bool has_set_no_new_privs_ = false;
    bool loaded_ = false;
    std::vector<std::byte> image_;  // of the mapped memory: struct sock_fprog and the program
    std::uint64_t address_ = 0;
#if defined(__x86_64__)
    user_regs_struct registers_{};
#endif
    std::uint64_t signal_mask_ = 0;
};

}  // namespace callcensus::ptrace
