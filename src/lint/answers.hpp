// What becomes of a call in a container under a profile, whoever decides it: a rule or the default.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "callcensus/meaning.hpp"

namespace callcensus {

struct ConsumerFacts;

/// That a rule or the default denies a call, or some of its arguments.
struct RuleDenial {
    Decision decision;
    std::optional<std::size_t> rule;  ///< that denies: its index in the profile; empty: the default does
    friend bool operator==(const RuleDenial&, const RuleDenial&) = default;
};

/// What a call may come to on the machines that a profile is for.
struct Answer {
    std::vector<RuleDenial> denials;
    bool lets_through = false;  ///< some arguments at least, on every machine

    [[nodiscard]] bool always_denied() const { return !denials.empty() && !lets_through; }
    /// The one that counts: by a rule, or else by the default where nothing is let through. What rules let
    /// through under conditions on arguments was meant so. Null where there is none.
    [[nodiscard]] const RuleDenial* denial() const;
};

/// The capabilities of a container.
enum class Rights : bool {
    by_default,  ///< what engines give without being asked
    all_named,   ///< these, and every one that a rule asks for
};

/// A profile as one consumer reads it, in such a container, on each machine whose native ABI it names.
class Answers {
  public:
    Answers(const Profile& profile, const ConsumerFacts& consumer, Rights rights,
            const std::vector<Abi>& abis);

    [[nodiscard]] Answer of(std::string_view call) const;
    /// Whether a rule that applies on some machine speaks of it.
    [[nodiscard]] bool names(std::string_view call) const;

  private:
    [[nodiscard]] Answer on(const RulesByName& by_name, std::string_view call) const;

    Profile profile_;
    std::vector<RulesByName> machines_;
};

}  // namespace callcensus
