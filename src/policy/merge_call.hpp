// Merging what several profiles say about one call: worked out for every situation that their rules tell
// apart, and said in rules again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "callcensus/meaning.hpp"
#include "callcensus/merge.hpp"

namespace callcensus {

/// What one or more inputs say about a call: their rules for it, and what happens without.
struct Voice {
    Decision otherwise;
    std::vector<const Rule*> rules;
};

/// Whether the rules differ in names and comments only.
[[nodiscard]] bool say_the_same(const Rule& a, const Rule& b);
[[nodiscard]] bool say_the_same(const Voice& a, const Voice& b);

/// A rule without names and comment.
[[nodiscard]] Rule rule_of(const Decision& decision, Conditions conditions, Context includes,
                           Context excludes);

/// What a merge makes of two decisions. `denial` is for what a difference takes away.
[[nodiscard]] Decision combine(const Decision& a, const Decision& b, MergeKind kind, const Decision& denial);

class CallMerger {
  public:
    /// `otherwise` is the result's default; rules count on ABIs of the `widths`. Where rules cannot say the
    /// result exactly `warnings` gets a line.
    CallMerger(MergeKind kind, Decision otherwise, Decision denial, std::set<ArgumentWidth> widths,
               std::vector<std::string>& warnings)
        : kind_(kind),
          otherwise_(otherwise),
          denial_(denial),
          widths_(std::move(widths)),
          warnings_(warnings) {}

    /// Whose rules are the result as they are: there is nothing to work out, however many they are. In a
    /// union also where all others only deny, by default. Null where that is so for nobody.
    [[nodiscard]] const Voice* deciding(const std::vector<Voice>& voices) const;

    /// The result, without names and comments. The voices are each different, save that for a difference the
    /// first one may come again.
    [[nodiscard]] std::vector<Rule> rules(const std::string& name, const std::vector<Voice>& voices);

    /// Whether the voice says in every situation what a merge of the others comes to, in rules that
    /// libseccomp takes.
    [[nodiscard]] bool means(const Voice& voice, const std::vector<Voice>& merged) const;

    /// A rule without conditions, which decides whatever else is said: wider for a union, narrower otherwise.
    /// With a warning.
    [[nodiscard]] Rule as_good_as_can_be(const std::string& name);

  private:
    using Meanings = std::map<ArgumentWidth, CallMeaning>;

    [[nodiscard]] std::optional<Meanings> in_cell(const std::vector<Voice>& voices,
                                                  const Machine& machine) const;
    [[nodiscard]] std::vector<Rule> roughly(const std::string& name, bool any_let_through,
                                            const std::string& why, Context includes, Context excludes);

    MergeKind kind_;
    Decision otherwise_;
    Decision denial_;
    std::set<ArgumentWidth> widths_;
    std::vector<std::string>& warnings_;
};

}  // namespace callcensus
