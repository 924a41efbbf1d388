/// Sets of argument values, exactly: which arguments does a rule let through, what do two rules let through
/// together, what does one let through that the other does not.
///
///     ArgumentSet both = intersection(set_of(old_rule.args, width), set_of(new_rule.args, width));
///     if (both.empty()) …                               // no arguments satisfy the two
///     for (const auto& conditions : conditions_of(both, width)) …  // and back to the conditions of rules
///
/// Every condition of a seccomp rule is an interval or a masked comparison, and both are closed under
/// intersection and complement, so that nothing is ever approximated here. Sets can grow, though: callers
/// bound ArgumentSet::boxes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/profile.hpp"

namespace callcensus {

constexpr std::size_t argument_count = 6;

/// How much of an argument a filter looks at: on 32-bit ABIs, x32 included, libseccomp compares the low 32
/// bits only, of the argument and of the constant (measured with libseccomp 2.5.4).
enum class ArgumentWidth : std::uint8_t { bits32, bits64 };
[[nodiscard]] std::uint64_t largest_argument(ArgumentWidth width);
[[nodiscard]] ArgumentWidth argument_width(Abi abi);

/// Some values of one argument: `low <= x <= high` and `(x & mask) == value`.
struct ValueSet {
    std::uint64_t low = 0;
    std::uint64_t high = ~std::uint64_t{0};
    std::uint64_t mask = 0;
    std::uint64_t value = 0;

    [[nodiscard]] bool contains(std::uint64_t x) const {
        return low <= x && x <= high && (x & mask) == value;
    }
    friend bool operator==(const ValueSet&, const ValueSet&) = default;
};

/// One set for each argument: the product of them.
using ArgumentBox = std::array<ValueSet, argument_count>;
using Arguments = std::array<std::uint64_t, argument_count>;

/// A union of boxes, which may overlap.
struct ArgumentSet {
    std::vector<ArgumentBox> boxes;

    [[nodiscard]] bool empty() const { return boxes.empty(); }
    [[nodiscard]] bool contains(const Arguments& arguments) const;
    friend bool operator==(const ArgumentSet&, const ArgumentSet&) = default;
};

[[nodiscard]] ArgumentSet all_arguments(ArgumentWidth width);

/// Whether two of them are on the same argument.
[[nodiscard]] bool repeats_an_index(std::span<const ArgumentCondition> conditions);

/// What satisfies the conditions of one rule. As in runc, conditions are ANDed unless an index repeats: then
/// each is a rule of its own. A condition with an unknown operator or index is never satisfied.
[[nodiscard]] ArgumentSet set_of(std::span<const ArgumentCondition> conditions, ArgumentWidth width);

[[nodiscard]] ArgumentSet union_of(const ArgumentSet& a, const ArgumentSet& b);
[[nodiscard]] ArgumentSet intersection(const ArgumentSet& a, const ArgumentSet& b);
/// What is in `a` and not in `b`. Empty also where the difference takes more than `most` boxes: `nullopt`.
[[nodiscard]] std::optional<ArgumentSet> difference(const ArgumentSet& a, const ArgumentSet& b,
                                                    std::size_t most = 4096);
/// Whether every member of `part` is in `whole`. Decided exactly up to the same limit; beyond it false.
[[nodiscard]] bool covers(const ArgumentSet& whole, const ArgumentSet& part, std::size_t most = 4096);

/// The same set in fewer and larger boxes, as a person would write it.
[[nodiscard]] ArgumentSet simplified(const ArgumentSet& set, ArgumentWidth width);

using Conditions = std::vector<ArgumentCondition>;

/// The rules whose union is the set; a rule without conditions is satisfied by everything.
///
/// libseccomp 2.5.4 gets several rules for one call wrong, or never returns, where one of them has two or
/// more conditions and any compares by other than EQ and MASKED_EQ; and where ordered comparisons have
/// constants above 32 bits. What it does get right: a single rule, rules with one condition each and
/// constants below 2^32, and any rules made of EQ and MASKED_EQ. With `only_masks` all conditions are of the
/// last kind; as that may take thousands, more than `most` rules are not looked for: the result then has more
/// than `most` and is not all.
[[nodiscard]] std::vector<Conditions> conditions_of(const ArgumentSet& set, ArgumentWidth width,
                                                    bool only_masks = false, std::size_t most = SIZE_MAX);
/// Whether libseccomp compiles such rules for one call as they read.
[[nodiscard]] bool compiles_as_read(std::span<const Conditions> rules);

}  // namespace callcensus
