// Calls that programs need although nobody may see them make them.
#pragma once

#include <array>
#include <string_view>

namespace callcensus {

// Ending, returning from a signal handler and going on after a stop: no program leaves without them, and a
// recorder may not see them (restart_syscall appears only after a stop that did not happen while recording; a
// program that got no signal now may get one later).
constexpr std::array<std::string_view, 5> unseen_calls{"exit", "exit_group", "restart_syscall",
                                                       "rt_sigreturn", "sigreturn"};

// Answered from the vDSO without entering the kernel, or not, depending on the machine's clock source, kernel
// and libc. vdso(7), the tables of the architectures; getrandom from Linux 6.11 on.
constexpr std::array<std::string_view, 9> vdso_calls{
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "getcpu", "getrandom",
    "gettimeofday", "riscv_hwprobe",       "time"};

}  // namespace callcensus
