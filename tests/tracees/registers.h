/// A call by the bare instruction, and the registers as they are after it: for calls that a tracer changes on
/// their way in and has to put right again, in the child too.
///
/// Limits: elsewhere than on x86_64 the call is made by libc and nothing is said about the registers.
#ifndef CALLCENSUS_TESTS_TRACEES_REGISTERS_H_
#define CALLCENSUS_TESTS_TRACEES_REGISTERS_H_

#include "tracee.h"

/// Makes the call and sets *preserved to whether the registers which the kernel must not change have their
/// values from before. Returns the raw result, -errno on failure.
static inline long call_and_look(long number, long first, long second, bool* preserved) {
#if defined(__x86_64__)
    enum { CARRY_PARITY_ADJUST_ZERO_SIGN_OVERFLOW = 0x8d5, INTERRUPTS_AND_RESERVED = 0x202 };
    const unsigned long flags_before = CARRY_PARITY_ADJUST_ZERO_SIGN_OVERFLOW | INTERRUPTS_AND_RESERVED;
    unsigned long flags_after;
    long result = number;
    long rdi = first;
    long rsi = second;
    long rdx = 0;
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0x5a5a5a5a;
    // The stack pointer jumps over the red zone, where the compiler may keep values.
    __asm__ volatile(
        "lea -128(%%rsp), %%rsp\n\t"
        "push %[before]\n\t"
        "popf\n\t"
        "syscall\n\t"
        "pushf\n\t"
        "pop %[after]\n\t"
        "lea 128(%%rsp), %%rsp"
        : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8),
          "+r"(r9), [after] "=&r"(flags_after)
        : [before] "r"(flags_before)
        : "rcx", "r11", "memory", "cc");
    *preserved =
        rdi == first && rsi == second && rdx == 0 && r10 == 0 && r8 == 0 && r9 == 0x5a5a5a5a &&
        (flags_after & CARRY_PARITY_ADJUST_ZERO_SIGN_OVERFLOW) == CARRY_PARITY_ADJUST_ZERO_SIGN_OVERFLOW;
    return result;
#else
    *preserved = true;
    const long result = syscall(number, first, second, 0L, 0L, 0L);
    return result == -1 ? -errno : result;
#endif
}

#endif  // CALLCENSUS_TESTS_TRACEES_REGISTERS_H_
