// Which constants the arguments of system calls take. Their values are those of an ABI (abi/constants.hpp).
//
//     show_constant(*find_constants(Abi::x86_64, "open_flags"), 0x80001);     // "O_WRONLY|O_CLOEXEC"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

struct Constant {
    std::uint64_t value;
    std::string_view name;
};

// One value of a list in the bits of `field`, and flags in all others.
struct Constants {
    std::string_view kind;
    std::uint64_t field;           // 0: only flags
    std::vector<Constant> values;  // of the field
    std::vector<Constant> flags;   // those of several bits before those that they contain
    bool is_long = false;          // else an int: the kernel does not look at the upper half
};

// By kind: "open_flags"; null where there is none.
[[nodiscard]] const Constants* find_constants(Abi abi, std::string_view kind);

// What has no name is shown as a hexadecimal number.
[[nodiscard]] std::string show_constant(const Constants& constants, std::uint64_t value);

// "0" or "0x1f".
[[nodiscard]] std::string hexadecimal(std::uint64_t value);

}  // namespace callcensus
