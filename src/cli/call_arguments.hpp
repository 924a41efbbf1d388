// The arguments of a call as a person writes them: numbers, the kernel's names, and both joined by `|`.
#pragma once

#include <string>
#include <vector>

#include "callcensus/explain.hpp"

namespace callcensus::cli {

/// Of a call of that ABI, in order; "_" is one that is not known. Names have the ABI's values. An error names
/// the word and, where one is misspelt, what was probably meant.
[[nodiscard]] Result<KnownArguments> read_arguments(Abi abi, const std::string& call,
                                                    const std::vector<std::string>& words);

}  // namespace callcensus::cli
