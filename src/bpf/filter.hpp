// A seccomp filter as a value: classic BPF over struct seccomp_data, as seccomp(2) takes it.
//
//     const Filter filter = known_set_filter(known, {}, SECCOMP_RET_TRACE);
//     evaluate(filter, data);                             // what the kernel would answer, without a kernel
//     sock_fprog program{size, filter.data()};            // and for the kernel
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "callcensus/syscall_set.hpp"

namespace callcensus {

using Filter = std::vector<sock_filter>;

/// A known call that is not let through all the same where the low 32 bits of one of its arguments say so.
struct Exception {
    enum class Test : std::uint8_t { equals, has_bit };

    Syscall call{};
    std::uint8_t argument = 0;  ///< 0 to 5
    Test test = Test::equals;
    std::uint32_t value = 0;
};

/// Allows exactly the calls of `known`, by ABI, except for the `exceptions`; answers everything else (also
/// calls of ABIs of which nothing is known) with `otherwise`. Empty where that takes more instructions than
/// the kernel accepts.
///
/// Written as a search tree over intervals of numbers, and not by libseccomp: the kernel takes it ten times
/// faster (it works out for each number of the system call table whether the answer is constant,
/// seccomp_cache_prepare() in kernel/seccomp.c), and libseccomp refuses numbers that it has no name for.
[[nodiscard]] std::optional<Filter> known_set_filter(const SyscallSet& known,
                                                     std::span<const Exception> exceptions,
                                                     std::uint32_t otherwise);

/// Answers a call where all of the tests hold, of all bits that arguments have on its ABI.
struct ArgumentRule {
    enum class Test : std::uint8_t { equals_masked, other_than, at_least, at_most };
    struct Condition {
        std::uint32_t argument = 0;  ///< 0 to 5
        Test test = Test::equals_masked;
        std::uint64_t value = 0;
        std::uint64_t mask = ~std::uint64_t{0};  ///< of equals_masked
    };
    std::vector<Condition> conditions;
    std::uint32_t answer = 0;
};

/// Decides one call by the first of its rules, or else by `otherwise`; all other calls are `rest`'s.
[[nodiscard]] Filter decide_first(Syscall call, std::span<const ArgumentRule> rules, std::uint32_t otherwise,
                                  const Filter& rest);

/// What the filter answers. Empty for a program that the kernel would have refused.
[[nodiscard]] std::optional<std::uint32_t> evaluate(const Filter& filter, const seccomp_data& data);

}  // namespace callcensus
