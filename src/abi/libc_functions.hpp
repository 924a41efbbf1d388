// Functions of libc that are no system calls: who names one in a profile means the calls that it makes.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

/// One row of the table: several functions that make the same calls.
struct LibcFunctions {
    std::string_view names;
    std::string_view calls;  ///< of all ABIs together, as words
};
[[nodiscard]] const std::vector<LibcFunctions>& all_libc_functions();

/// The calls that any of the ABIs has and by which libc does the work of a function: pwrite64 for pwrite,
/// sendto for send on x86_64. Empty where the table has no such function, or one of these ABIs has a call of
/// that name.
[[nodiscard]] std::vector<std::string> calls_behind(std::string_view function, const std::set<Abi>& abis);

/// What somebody most likely meant who wrote a name that no call has: the calls behind a function of libc,
/// the call after a prefix of headers or kernel sources (SYS_, __NR_, sys_), else the call of these ABIs that
/// is spelt most alike. Empty where nothing is like it.
[[nodiscard]] std::vector<std::string> meant_calls(std::string_view name, const std::set<Abi>& abis);

}  // namespace callcensus
