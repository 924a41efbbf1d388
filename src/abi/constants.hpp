// The named constants of the kernel's interface: PROT_EXEC, TCGETS, AF_UNIX. The table is made from the
// headers of every ABI (scripts/make-constants): many values differ, such as O_DIRECTORY on arm and FIONBIO
// on mips.
//
//     find_constant(Abi::aarch64, "O_DIRECTORY");     // 0x4000
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "callcensus/abi.hpp"

namespace callcensus {

/// As a program of that ABI has it after a cast to unsigned long: AT_FDCWD is 0xffffffffffffff9c where a long
/// has 64 bits. Empty where the ABI has no such constant. ABIs whose headers we do not have are given the
/// values of those that share them: loongarch64 those of riscv64 (asm-generic), s390 those of s390x.
[[nodiscard]] std::optional<std::uint64_t> find_constant(Abi abi, std::string_view name);

/// The name that a misspelt one is most like, of those that the ABI has; empty where it is like none.
[[nodiscard]] std::string nearest_constant(Abi abi, std::string_view name);

}  // namespace callcensus
