/// Families: calls by which another libc, another version of it or another kernel does the same job, so that
/// a profile recorded here also holds there.
///
///     for (const Siblings& row : siblings({"access"}, {Abi::x86_64}))
///         …  // faccessat and faccessat2, of access, because …
///
/// Only calls that another libc or kernel really uses for the same job belong to a family, none that is
/// dangerous (risk.hpp), and each that can do more than the call it stands for says so in its reason. What
/// only another CPU needs is left out where the recorded ABI has the call itself: a profile holds for the
/// ABIs that it names. Sources are with the table, src/meaning/families.cpp.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

/// Whoever makes one of `names` may make any of `siblings` elsewhere. In most families they are the same;
/// they differ where a call does the job of another but not the other way round (unlinkat removes
/// directories, too).
struct Family {
    std::vector<std::string_view> names;
    std::vector<std::string_view> siblings;
    std::string_view reason;  ///< who uses which; one line, and several families may share it
    std::string_view source;
};

[[nodiscard]] std::span<const Family> all_families();

/// The families that have the call among their `names`.
[[nodiscard]] std::vector<const Family*> families_of(std::string_view call);

/// What to allow beside `of`, and why.
struct Siblings {
    std::vector<std::string> names;  ///< sorted; none of them was observed
    std::vector<std::string> of;     ///< sorted; the observed calls whose job they do
    std::string_view reason;
};

/// The siblings of the observed calls that any of the ABIs has: one row for each reason, in the order of the
/// table.
[[nodiscard]] std::vector<Siblings> siblings(const std::set<std::string>& observed,
                                             const std::set<Abi>& abis);

}  // namespace callcensus
