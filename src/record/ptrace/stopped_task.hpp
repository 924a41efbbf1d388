// A task in a ptrace-stop. Only a stopped task can be asked and resumed, and resuming it uses the value up:
// the type makes it impossible to touch a running task. Only the queue of wait statuses (status_queue.hpp)
// makes the value, from a status that reports the stop. Who holds it has to resume the task, or to say that
// he does not: a task that is forgotten would stay stopped for ever, so that in builds with assertions the
// destructor fails. Every request may find the task dead (SIGKILL comes at any moment): that is an empty or
// false answer here and never an error; its wait status will tell.
//
//     auto report = statuses.next(several);
//     if (report->stopped) std::move(*report->stopped).resume(StoppedTask::Until::next_call);
#pragma once

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include "callcensus/result.hpp"

namespace callcensus::ptrace {

class StoppedTask {
  public:
    StoppedTask(StoppedTask&& other) noexcept : tid_(other.use_up()) {}
    StoppedTask& operator=(StoppedTask&& other) noexcept {
        check_used_up();
        tid_ = other.use_up();
        return *this;
    }
    StoppedTask(const StoppedTask&) = delete;
    StoppedTask& operator=(const StoppedTask&) = delete;
    ~StoppedTask() { check_used_up(); }

    [[nodiscard]] pid_t tid() const { return tid_; }

    /// PTRACE_GET_SYSCALL_INFO, Linux 5.3.
    [[nodiscard]] std::optional<__ptrace_syscall_info> syscall_info() const;
    /// PTRACE_GETEVENTMSG: the new task's tid, or for exec the former tid of the task that did it.
    [[nodiscard]] std::optional<unsigned long> event_message() const;

    /// Memory of the task's process, written even where it is read-only to the task, as a debugger may.
    [[nodiscard]] std::optional<std::uint64_t> read_word(std::uint64_t address) const;
    [[nodiscard]] bool write_word(std::uint64_t address, std::uint64_t value) const;
    /// Of memory that the task itself may read, or write: all of it or false.
    [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> bytes) const;
    [[nodiscard]] bool write(std::uint64_t address, std::span<const std::byte> bytes) const;

    /// Registers of a task at a system call, on the architectures where we know them (x86): false elsewhere.
    [[nodiscard]] bool set_first_argument(std::uint64_t value) const;
    [[nodiscard]] bool set_syscall_number(std::int64_t number) const;
    [[nodiscard]] bool set_result(std::int64_t value) const;
    /// What the task's last call has returned; empty where we do not know the registers.
    [[nodiscard]] std::optional<std::int64_t> result() const;
#if defined(__x86_64__)
    /// All of them. A 64-bit tracer sees the 64-bit register file for 32-bit tasks too.
    [[nodiscard]] std::optional<user_regs_struct> registers() const;
    [[nodiscard]] bool set_registers(const user_regs_struct& registers) const;
#endif

    /// The signals that the task blocks, bit 0 for signal 1. PTRACE_GETSIGMASK, Linux 3.11.
    [[nodiscard]] std::optional<std::uint64_t> signal_mask() const;
    [[nodiscard]] bool set_signal_mask(std::uint64_t mask) const;

    enum class Until : std::uint8_t {
        next_call,   ///< PTRACE_SYSCALL: the entry to or the exit from a system call, or an event
        next_event,  ///< PTRACE_CONT: an event; a call only where a seccomp filter asks for it
    };
    /// Runs on, delivering `signal` unless 0. True unless the task is dead.
    bool resume(Until until, int signal = 0) &&;
    /// PTRACE_O_*, for itself and what it creates from now on.
    void set_options(long options) const;
    /// Has it stop once more, soon after it is resumed (PTRACE_INTERRUPT).
    void interrupt() const;
    /// Stays in its group-stop until SIGCONT (PTRACE_LISTEN).
    bool listen() &&;
    /// Runs on without us, delivering `signal` unless 0.
    bool detach(int signal = 0) &&;
    /// Is not resumed: it has died, or is about to, or it is left to the kernel, which lets go of it when the
    /// calling thread ends.
    void abandon() && { use_up(); }

  private:
    friend class StatusQueue;
    explicit StoppedTask(pid_t tid) : tid_(tid) {}

    pid_t use_up() noexcept { return std::exchange(tid_, 0); }
    void check_used_up() const noexcept {
        assert((tid_ == 0 || std::uncaught_exceptions() > 0) && "a stopped task has been forgotten");
    }

    pid_t tid_;  // 0: used up
};

}  // namespace callcensus::ptrace
