/// Uniting, intersecting and subtracting profiles, by what they mean, and recordings. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "callcensus/meaning.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

enum class MergeKind : std::uint8_t {
    unite,      ///< what any of them lets through
    intersect,  ///< what all of them let through
    subtract,   ///< what the first lets through and none of the others does
};

struct NamedProfile {
    std::string name;  ///< for warnings
    Profile profile;
};

struct Merged {
    Profile profile;
    std::vector<std::string> warnings;  ///< every place where the result is not exact
};

/// The profile that lets through exactly the union (intersection, difference) of what the inputs do, by
/// arguments, capabilities, architectures and kernels. What cannot be said exactly is wider for a union and
/// narrower otherwise, and a warning names it. How a call is denied, where all deny it, is the first input's
/// way. Comments of the rules that let a call through are kept.
///
/// Fails for no input. `machine` stands for the one that profiles without architectures mean.
[[nodiscard]] Result<Merged> merge(std::span<const NamedProfile> inputs, MergeKind kind,
                                   const Machine& machine);

/// Of recordings, of which an input may hold several, all of which together are what it has: for a union all
/// of them, as they are; else those of the first input with only those calls that all other inputs have (that
/// none of the others has), and a note saying so. What was taken as known beforehand counts
/// as had: profiles derived from it allow that.
[[nodiscard]] std::vector<Recording> merge(std::vector<std::vector<Recording>> inputs, MergeKind kind);

}  // namespace callcensus
