/// What a profile means: for every ABI and call the decision, by its arguments. Two profiles that mean the
/// same may look quite different: order, splitting into rules, repetitions, spelling and comments do not
/// count.
///
///     const Meaning before = meaning_of(old_profile, this_machine());
///     before.decide(Abi::x86_64, "clone", {CLONE_NEWUSER});   // {Action::errno_, EPERM}
///
/// Read as the runtimes do (runc, crun with libseccomp 2.5.4, measured): rules that repeat the default are
/// dropped; a rule for socket() is one for socketcall(1, …), too, where an ABI has that; the first rule
/// without conditions on arguments decides, wherever it stands; else the first rule whose conditions hold.
/// Where such conditional rules of different actions overlap libseccomp goes by an order of its own, and so
/// its filter for them is read. Rules that it refuses or compiles wrongly count as they are written, and lint
/// says so: runtimes do not load the former, and compile() gives what they load for the latter.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// The rules of a profile that apply, in order, by what they speak of; they live in the profile.
using RulesByName = std::map<std::string, std::vector<const Rule*>>;
[[nodiscard]] RulesByName rules_by_name(const Profile& profile, const Machine& machine);

/// Some arguments, or all others. So that what no rule mentions need not be worked out: the rest of a few
/// dozen conditions on three arguments is thousands of boxes.
struct ArgumentRegion {
    ArgumentSet set;
    bool all_others = false;
    ArgumentWidth width = ArgumentWidth::bits64;

    [[nodiscard]] bool empty() const;
};
/// Whether every member of `part` is in `whole`; as exact as that of sets.
[[nodiscard]] bool covers(const ArgumentRegion& whole, const ArgumentRegion& part);

/// The decision about one call, by its arguments.
struct CallMeaning {
    struct Part {
        Decision decision;
        ArgumentSet arguments;
    };
    std::vector<Part> parts;  ///< sets that are disjoint; each decision once, and none of them `otherwise`
    Decision otherwise;       ///< for all other arguments
    ArgumentWidth width = ArgumentWidth::bits64;

    [[nodiscard]] Decision decide(const Arguments& arguments) const;
    /// The one decision, where arguments do not matter.
    [[nodiscard]] const Decision* constant() const { return parts.empty() ? &otherwise : nullptr; }
    /// What is let through (ALLOW and LOG).
    [[nodiscard]] ArgumentRegion let_through() const;
    /// What is decided so.
    [[nodiscard]] ArgumentRegion decided(const Decision& decision) const;
    /// Everything that is decided otherwise than `by_default`. Empty where that takes too many boxes.
    [[nodiscard]] std::optional<std::vector<Part>> parts_beside(const Decision& by_default) const;
    /// Adds arguments that are not decided yet, or are decided so.
    void add(const Decision& decision, const ArgumentSet& arguments);
};
[[nodiscard]] CallMeaning always(const Decision& decision, ArgumentWidth width);
/// Whether both decide alike for all arguments.
[[nodiscard]] bool same(const CallMeaning& a, const CallMeaning& b);

/// What rules, in order, say about a call of which all of them speak. Empty where that takes too many boxes.
[[nodiscard]] std::optional<CallMeaning> meaning_of(std::span<const Rule* const> rules,
                                                    const Decision& otherwise, ArgumentWidth width);

struct Meaning {
    Decision otherwise;
    /// By ABI and name, where rules speak of it; a number without a name is called "number 999". Calls of an
    /// ABI that is not there kill the thread (libseccomp's "bad architecture").
    std::map<Abi, std::map<std::string, CallMeaning>> calls;

    [[nodiscard]] Decision decide(Abi abi, const std::string& call, const Arguments& arguments) const;
};

/// What libseccomp makes of a rule for the call that does its work on an ABI such as i386 (`multiplexed()`):
/// that call's first argument says which is meant, in place of a condition on the rule's own first argument;
/// the other conditions are left as they are, though the arguments lie elsewhere. Several rules where each
/// condition of the rule is enough.
[[nodiscard]] std::vector<Rule> through_multiplexer(const Rule& rule, const Multiplexed& by);

/// Which ABIs the profile covers on a machine of that native ABI: `architectures`, or the row of archMap.
[[nodiscard]] std::set<Abi> abis_of(const Profile& profile, Abi native);

/// That rules for a call cannot be worked out, as an error says it.
[[nodiscard]] std::string too_complicated(const std::string& call);

/// Names that an ABI does not have are passed over, as runtimes do. Fails where the arguments of a call are
/// too complicated.
[[nodiscard]] Result<Meaning> meaning_of(const Profile& profile, const Machine& machine);

/// What recordings need: everything observed is allowed.
[[nodiscard]] Meaning meaning_of(std::span<const Recording> recordings);

}  // namespace callcensus
