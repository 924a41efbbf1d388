// Children made with CLONE_UNTRACED would escape: the kernel does not attach the creator's tracer to them
// (kernel_clone() in kernel/fork.c). So the flag is taken out while the call is under way and put back before
// anybody can look: in a register for clone(2), in user memory for clone3(2).
//
// Limit: memory belongs to every thread of the process, and to whoever shares the mapping. The kernel reads
// clone3's flags after we have: who sets CLONE_UNTRACED in between (in a race, or on purpose) makes a child
// that escapes. It is noticed at the exit from the call, which has returned a child that nobody has told us
// of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "callcensus/abi.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {

/// Which of the calls that create tasks this one is, and with which flags.
struct CloneFlags {
    bool is_clone3 = false;
    std::uint64_t address = 0;           ///< of struct clone_args, for clone3
    std::optional<std::uint64_t> flags;  ///< empty: clone3's arguments cannot be read (non-dumpable task)

    [[nodiscard]] std::optional<bool> makes_thread() const;
    [[nodiscard]] bool untraced() const;
};

/// Decodes clone and clone3 at their entry. Empty for other calls, and where clone3's arguments cannot be
/// read.
[[nodiscard]] std::optional<CloneFlags> clone_flags(const StoppedTask& task, Syscall call,
                                                    const std::array<std::uint64_t, 6>& arguments);

/// Takes CLONE_UNTRACED, which must be set, out at the entry; false where that is impossible (not x86) and
/// the child will be lost.
[[nodiscard]] bool hide_untraced(const StoppedTask& task, const CloneFlags& flags);

/// What is said of a child that has escaped: empty `call` where the call was neither of the two.
[[nodiscard]] std::string how_it_escaped(const std::optional<CloneFlags>& call);

/// Puts it back, in the creator at the exit from the call and in the child at its first stop.
void restore_untraced(const StoppedTask& task, const CloneFlags& flags);

}  // namespace callcensus::ptrace
