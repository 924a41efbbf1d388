/// Which calls deserve a second look before a profile allows them, and why.
///
///     const Risk risk = risk_of("bpf");
///     if (is_risky(risk)) std::cout << id(risk.cls) << ": " << risk.reason << '\n';
///
/// A judgement on the call's name alone: what its arguments allow or forbid is not seen. `clone`, `socket`
/// and `personality` count as ordinary, though Docker's default profile grants them for some arguments only.
/// Sources are with the table, src/meaning/risk.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace callcensus {

/// In the order of concern: `RiskClass::dangerous` is the greatest.
enum class RiskClass : std::uint8_t {
    ordinary,  ///< Docker's default profile grants it to every container, and we know nothing against it
    needs_capability,  ///< Docker's default profile grants it only with a capability
    withheld,          ///< Docker's default profile grants it to nobody
    dangerous,         ///< known for ways out of containers, or for how much of the kernel it opens to attack
};

/// "ordinary", "needs-capability" and the like.
[[nodiscard]] std::string_view id(RiskClass cls);

struct Risk {
    RiskClass cls = RiskClass::ordinary;
    /// "CAP_BPF": with which (alone) Docker's default profile grants the call; empty where it grants the call
    /// without any, or to nobody.
    std::string_view capability;
    std::string_view reason;  ///< one line; empty for ordinary calls

    friend bool operator==(const Risk&, const Risk&) = default;
};

[[nodiscard]] constexpr bool is_risky(const Risk& risk) { return risk.cls != RiskClass::ordinary; }

/// The judgement on a call by its name; names that nobody knows are ordinary.
[[nodiscard]] Risk risk_of(std::string_view call);

struct RiskyCall {
    std::string_view name;
    Risk risk;
};

/// Every call that is not ordinary, in the order of names.
[[nodiscard]] std::span<const RiskyCall> all_risky_calls();

}  // namespace callcensus
