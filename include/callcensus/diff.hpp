/// What a new profile or recording asks of the kernel that an old one did not, by meaning and not by text.
///
///     const auto difference = diff(old_profile, new_recordings, {});
///     if (gains(*difference)) …   // something is allowed, or called, that was not
///
/// Of profiles their decisions are compared for every ABI, call and argument; of recordings what was called;
/// one of each compares what was called with what is allowed. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "callcensus/meaning.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"
#include "callcensus/risk.hpp"

namespace callcensus {

using Comparable = std::variant<Profile, std::vector<Recording>>;

struct DiffOptions {
    Machine machine = this_machine();  ///< for which Docker's includes, excludes and archMap are resolved
    /// Compare includes and excludes as conditions instead: of two profiles in every situation that they tell
    /// apart.
    bool as_conditions = false;
    /// What an error calls the two.
    std::string name_before = "the old one";
    std::string name_after = "the new one";
};

enum class ChangeKind : std::uint8_t {
    allowed,    ///< let through for some arguments, and for none before
    denied,     ///< the reverse
    loosened,   ///< for more arguments than before
    tightened,  ///< for fewer
    altered,    ///< for some more and some fewer
    redecided,  ///< for the same ones, but logged or denied in another way
};
[[nodiscard]] std::string_view id(ChangeKind kind);

struct CallChange {
    ChangeKind kind = ChangeKind::allowed;
    std::string call;       ///< its name, or "number 999"
    std::vector<Abi> abis;  ///< where it is so
    std::string context;    ///< in which situation, where compared as conditions: "with CAP_SYS_ADMIN"
    std::string before;     ///< in words: "allowed if arg0 == 1, else denied with EPERM"
    std::string after;
    Risk risk;
    std::vector<Use> uses;        ///< in the recordings that have the call
    std::vector<CallSite> sites;  ///< there: the first few places that it was made from
    /// Of a call newly let through: one that was before and does the same job (families.hpp), and who uses
    /// which; empty where there is none. Mostly another libc, then, and not a new thing that the program
    /// does.
    std::string same_job_as;
    std::string same_job_reason;
};

struct Difference {
    std::vector<CallChange> calls;  ///< gains before losses, the riskiest first, then by name
    std::optional<std::pair<Decision, Decision>> otherwise;  ///< the default, where it has changed
    std::vector<Abi> abis_added;  ///< architectures of profiles; their calls are not listed one by one
    std::vector<Abi> abis_removed;
    std::vector<std::string> risky_on_added;  ///< risky calls let through on an ABI that was added
    std::optional<std::pair<std::string, std::string>> flags;  ///< where they have changed
    bool of_recordings = false;                                ///< both: a call is "called", not "allowed"

    [[nodiscard]] bool empty() const {
        return calls.empty() && !otherwise && abis_added.empty() && abis_removed.empty() && !flags;
    }
};

[[nodiscard]] Result<Difference> diff(const Comparable& before, const Comparable& after,
                                      const DiffOptions& options);

[[nodiscard]] bool gains(const CallChange& change);
[[nodiscard]] bool losses(const CallChange& change);
/// Something is let through that was not.
[[nodiscard]] bool gains(const Difference& difference);
[[nodiscard]] bool losses(const Difference& difference);
/// Something risky is.
[[nodiscard]] bool risky_gains(const Difference& difference);

}  // namespace callcensus
