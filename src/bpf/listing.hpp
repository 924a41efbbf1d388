// A seccomp filter in a form for people, an instruction a line.
#pragma once

#include <string>

#include "bpf/filter.hpp"

namespace callcensus {

/// With what the filter looks at by name, and calls and ABIs by theirs where the instruction tests one:
///
///        0  load arch
///        1  if it != 0xc000003e (x86_64) goto 9
///        2  load number
///        3  if it == 59 (execve) goto 8
///
/// Of a program that the kernel would refuse the instructions that evaluate() does not know are shown in
/// hexadecimal.
[[nodiscard]] std::string listing(const Filter& filter);

}  // namespace callcensus
