// Other ways to do what a call does, for who denies single calls: what remains open?
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace callcensus {

/// Whoever is denied one of `names` can get the same, or what matters of it, by any of `ways`.
struct OtherWays {
    std::vector<std::string_view> names;
    std::vector<std::string_view> ways;
    std::string_view reason;  ///< how, where the ways are not plainly other forms of the same call; or empty
    std::string_view remedy;  ///< where programs need the ways for other purposes; or empty
};

/// The families (families.hpp), by which honest programs do the same job elsewhere, and beside them what only
/// somebody would use who looks for a way round.
[[nodiscard]] std::span<const OtherWays> all_other_ways();

}  // namespace callcensus
