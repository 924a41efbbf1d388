#include "callcensus/merge.hpp"

#include <algorithm>
#include <cerrno>
#include <list>
#include <map>
#include <set>

#include "callcensus/syscall_set.hpp"
#include "policy/context_cells.hpp"

namespace callcensus {
namespace {

constexpr std::size_t most_boxes = 4096;
constexpr std::size_t most_rules_for_a_call = 512;
constexpr std::size_t most_comments = 5;
constexpr std::size_t most_names_in_a_warning = 8;

// ---- decisions ----

Decision combine(const Decision& a, const Decision& b, MergeKind kind, const Decision& denial) {
    const bool a_lets = lets_through(a.action);
    const bool b_lets = lets_through(b.action);
    const bool both = a_lets && b_lets;
    const auto logging_first = [&](Action preferred) { return a.action == preferred ? a : b; };
    switch (kind) {
        case MergeKind::unite:
            return both ? logging_first(Action::allow) : b_lets ? b : a;
        case MergeKind::intersect:
            return both ? logging_first(Action::log) : a_lets ? b : a;
        case MergeKind::subtract:
            return both ? denial : a;
    }
    return denial;
}

std::optional<CallMeaning> combine(const CallMeaning& a, const CallMeaning& b, MergeKind kind,
                                   const Decision& denial, ArgumentWidth width) {
    CallMeaning result;
    for (const CallMeaning::Part& one : a.parts)
        for (const CallMeaning::Part& other : b.parts) {
            ArgumentSet arguments = intersection(one.arguments, other.arguments);
            if (arguments.empty()) continue;
            if (arguments.boxes.size() > most_boxes) return std::nullopt;
            const Decision decision = combine(one.decision, other.decision, kind, denial);
            const auto same_decision =
                std::find_if(result.parts.begin(), result.parts.end(),
                             [&](const CallMeaning::Part& part) { return part.decision == decision; });
            if (same_decision == result.parts.end())
                result.parts.push_back({decision, std::move(arguments)});
            else
                same_decision->arguments = union_of(same_decision->arguments, arguments);
        }
    for (CallMeaning::Part& part : result.parts) part.arguments = simplified(part.arguments, width);
    return result;
}

// ---- one call ----

// What one or more inputs say about a call.
struct Voice {
    Decision otherwise;
    std::vector<const Rule*> rules;
};

bool say_the_same(const Rule& a, const Rule& b) {
    return decision_of(a) == decision_of(b) && a.args == b.args && a.includes == b.includes &&
           a.excludes == b.excludes;
}

bool say_the_same(const Voice& a, const Voice& b) {
    return a.otherwise == b.otherwise &&
           std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(),
                      [](const Rule* one, const Rule* other) { return say_the_same(*one, *other); });
}

Rule rule_of(const Decision& decision, Conditions conditions, CellContext context) {
    Rule rule;
    rule.action = decision.action;
    if (decision.action == Action::errno_ || decision.action == Action::trace)
        rule.errno_ret = decision.value;
    rule.args = std::move(conditions);
    rule.includes = std::move(context.includes);
    rule.excludes = std::move(context.excludes);
    return rule;
}

bool means(const std::vector<Rule>& rules, const Decision& otherwise, const CallMeaning& meaning,
           ArgumentWidth width) {
    std::vector<const Rule*> pointers;
    for (const Rule& rule : rules) pointers.push_back(&rule);
    const auto read = meaning_of(pointers, otherwise, width);
    return read && same(*read, meaning);
}

// Rules for a call in a context, of which each part is said as one decision; empty where that cannot be said
// in rules that mean the same on ABIs of all the widths.
std::optional<std::vector<Rule>> rules_for(const std::map<ArgumentWidth, CallMeaning>& meanings,
                                           const Decision& otherwise, const CellContext& context) {
    const auto& [width, meaning] = *meanings.rbegin();
    for (const bool only_masks : {false, true}) {
        std::vector<Rule> rules;
        std::vector<Conditions> all_conditions;
        for (const CallMeaning::Part& part : meaning.parts) {
            if (part.decision == otherwise) continue;
            for (Conditions& conditions :
                 conditions_of(part.arguments, width, only_masks, most_rules_for_a_call)) {
                all_conditions.push_back(conditions);
                rules.push_back(rule_of(part.decision, std::move(conditions), context));
            }
        }
        if (!compiles_as_read(all_conditions) || rules.size() > most_rules_for_a_call) continue;
        if (std::all_of(meanings.begin(), meanings.end(), [&](const auto& of_width) {
                return means(rules, otherwise, of_width.second, of_width.first);
            }))
            return rules;
    }
    return std::nullopt;
}

// Wider for a union, narrower otherwise, and whatever the arguments.
std::vector<Rule> rules_roughly_for(const std::map<ArgumentWidth, CallMeaning>& meanings,
                                    const Decision& otherwise, MergeKind kind, const CellContext& context) {
    std::optional<Decision> letting;
    std::optional<Decision> denying;
    for (const auto& [width, meaning] : meanings)
        for (const CallMeaning::Part& part : meaning.parts) {
            auto& slot = lets_through(part.decision.action) ? letting : denying;
            if (!slot) slot = part.decision;
        }
    const auto& chosen = (kind == MergeKind::unite && letting) || !denying ? letting : denying;
    // A default that goes the same way is as good.
    if (!chosen || lets_through(chosen->action) == lets_through(otherwise.action)) return {};
    return {rule_of(*chosen, {}, context)};
}

class CallMerger {
  public:
    CallMerger(MergeKind kind, Decision otherwise, Decision denial, std::set<ArgumentWidth> widths,
               std::vector<std::string>& warnings)
        : kind_(kind),
          otherwise_(otherwise),
          denial_(denial),
          widths_(std::move(widths)),
          warnings_(warnings) {}

    // Without names and comments. The voices are each different, save that for a difference the first one
    // may come again.
    std::vector<Rule> rules(const std::string& name, const std::vector<Voice>& voices) {
        std::vector<const Rule*> all;
        for (const Voice& voice : voices) all.insert(all.end(), voice.rules.begin(), voice.rules.end());
        const auto cells = context_cells(all);
        if (cells.empty()) {
            warn(name, "its conditions on capabilities and architectures are too many");
            return kind_ == MergeKind::unite ? std::vector{rule_of({Action::allow, 0}, {}, {})}
                                             : std::vector<Rule>{};
        }
        std::vector<std::pair<Meanings, std::vector<ContextCell>>> groups;
        for (const ContextCell& cell : cells) {
            auto meanings = in_cell(voices, representative(cell));
            if (!meanings) {
                warn(name, "its conditions on arguments are too many");
                return kind_ == MergeKind::unite ? std::vector{rule_of({Action::allow, 0}, {}, {})}
                                                 : std::vector<Rule>{};
            }
            const auto group = std::find_if(groups.begin(), groups.end(),
                                            [&](const auto& it) { return alike(it.first, *meanings); });
            if (group == groups.end())
                groups.push_back({std::move(*meanings), {cell}});
            else
                group->second.push_back(cell);
        }
        std::vector<Rule> rules;
        for (auto& [meanings, of_group] : groups)
            for (const ContextCell& cell : united(of_group)) {
                const CellContext context = context_of(cell, all);
                auto exact = rules_for(meanings, otherwise_, context);
                if (!exact) {
                    warn(name, "no rules say its arguments exactly and are compiled rightly by libseccomp");
                    exact = rules_roughly_for(meanings, otherwise_, kind_, context);
                }
                std::move(exact->begin(), exact->end(), std::back_inserter(rules));
            }
        return rules;
    }

    // Whose rules are the result as they are: there is nothing to work out, however many they are. In a union
    // also where all others only deny, by default. Null where that is so for nobody.
    [[nodiscard]] const Voice* deciding(const std::vector<Voice>& voices) const {
        if (voices.size() == 1) return &voices.front();
        if (kind_ != MergeKind::unite) return nullptr;
        const Voice* only = nullptr;
        for (const Voice& voice : voices) {
            if (lets_through(voice.otherwise.action)) return nullptr;
            if (voice.rules.empty()) continue;
            if (only != nullptr || !std::all_of(voice.rules.begin(), voice.rules.end(),
                                                [](const Rule* rule) { return lets_through(rule->action); }))
                return nullptr;
            only = &voice;
        }
        return only;
    }

  private:
    using Meanings = std::map<ArgumentWidth, CallMeaning>;

    // The first rule without conditions on arguments decides (meaning.hpp).
    static bool allows_for_all_arguments(const Voice& voice, const Machine& machine) {
        const auto rule = std::find_if(voice.rules.begin(), voice.rules.end(), [&](const Rule* it) {
            return it->args.empty() && decision_of(*it) != voice.otherwise && applies(*it, machine);
        });
        return rule != voice.rules.end() && (*rule)->action == Action::allow;
    }

    std::optional<Meanings> in_cell(const std::vector<Voice>& voices, const Machine& machine) const {
        Meanings meanings;
        const bool allowed_by_one =
            kind_ == MergeKind::unite && std::any_of(voices.begin(), voices.end(), [&](const Voice& voice) {
                return allows_for_all_arguments(voice, machine);
            });
        for (const ArgumentWidth width : widths_) {
            if (allowed_by_one) {
                meanings.emplace(width, always({Action::allow, 0}, width));
                continue;
            }
            std::optional<CallMeaning> result;
            for (const Voice& voice : voices) {
                std::vector<const Rule*> applying;
                std::copy_if(voice.rules.begin(), voice.rules.end(), std::back_inserter(applying),
                             [&](const Rule* rule) { return applies(*rule, machine); });
                auto meaning = meaning_of(applying, voice.otherwise, width);
                if (meaning && result) meaning = combine(*result, *meaning, kind_, denial_, width);
                if (!meaning) return std::nullopt;
                result = std::move(meaning);
            }
            meanings.emplace(width, std::move(*result));
        }
        return meanings;
    }

    static bool alike(const Meanings& a, const Meanings& b) {
        return std::all_of(a.begin(), a.end(),
                           [&](const auto& of_width) { return same(of_width.second, b.at(of_width.first)); });
    }

    void warn(const std::string& name, const std::string& why) {
        warnings_.push_back(name +
                            (kind_ == MergeKind::unite ? " is allowed more widely than by the inputs: "
                                                       : " is allowed more narrowly than by the inputs: ") +
                            why);
    }

    MergeKind kind_;
    Decision otherwise_;
    Decision denial_;
    std::set<ArgumentWidth> widths_;
    std::vector<std::string>& warnings_;
};

// ---- the whole profile ----

using RulesOfInput = std::map<std::size_t, std::vector<const Rule*>>;  // by index of the input

std::map<std::string, RulesOfInput> index_by_name(std::span<const NamedProfile> inputs) {
    std::map<std::string, RulesOfInput> index;
    for (std::size_t input = 0; input < inputs.size(); ++input)
        for (const Rule& rule : inputs[input].profile.rules) {
            const auto add = [&](const std::string& name) {
                auto& rules = index[name][input];
                if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
            };
            std::for_each(rule.names.begin(), rule.names.end(), add);
            if (!rule.name.empty()) add(rule.name);
        }
    return index;
}

std::vector<Voice> voices_of(const RulesOfInput& rules, const std::vector<Decision>& defaults,
                             MergeKind kind) {
    std::vector<Voice> voices;
    auto next = rules.begin();
    for (std::size_t input = 0; input < defaults.size(); ++input) {
        Voice voice{defaults[input], {}};
        if (next != rules.end() && next->first == input) voice.rules = (next++)->second;
        // The first of a difference stands for itself.
        const auto others = voices.begin() + (kind == MergeKind::subtract && !voices.empty() ? 1 : 0);
        if (std::none_of(others, voices.end(), [&](const Voice& it) { return say_the_same(it, voice); }))
            voices.push_back(std::move(voice));
    }
    return voices;
}

class Comments {
  public:
    void add(const std::string& comment) {
        if (!comment.empty() && known_.insert(comment).second) list_.push_back(comment);
    }
    [[nodiscard]] std::string text() const {
        std::string text;
        for (std::size_t i = 0; i < list_.size() && i < most_comments; ++i)
            text += (i == 0 ? "" : "; ") + list_[i];
        if (list_.size() > most_comments)
            text += "; and " + std::to_string(list_.size() - most_comments) + " more";
        return text;
    }

  private:
    std::vector<std::string> list_;
    std::set<std::string> known_;
};

// The reasons that the inputs give for going the same way.
std::string comments_of(const RulesOfInput& rules, bool letting) {
    Comments comments;
    for (const auto& [input, of_input] : rules)
        for (const Rule* rule : of_input)
            if (lets_through(rule->action) == letting) comments.add(rule->comment);
    return comments.text();
}

// The rules of the inputs that say the same, one by one, with all their reasons.
std::vector<Rule> as_they_are(const RulesOfInput& rules, const Voice& voice) {
    std::vector<Rule> result;
    for (std::size_t at = 0; at < voice.rules.size(); ++at) {
        const Rule& rule = *voice.rules[at];
        Comments comments;
        for (const auto& [input, of_input] : rules)
            if (of_input.size() == voice.rules.size()) comments.add(of_input[at]->comment);
        result.push_back(rule_of(decision_of(rule), rule.args, {rule.includes, rule.excludes}));
        result.back().comment = comments.text();
    }
    return result;
}

// Rules that differ in their names only become one.
class RuleCollector {
  public:
    void add(const std::string& name, Rule rule) {
        auto& alike = by_what_they_say_[key_of(rule)];
        for (const std::size_t at : alike) {
            Rule& other = rules_[at];
            if (!say_the_same(other, rule)) continue;
            if (other.names.back() != name) other.names.push_back(name);
            return;
        }
        alike.push_back(rules_.size());
        rule.names = {name};
        rules_.push_back(std::move(rule));
    }
    std::vector<Rule> take() && { return std::move(rules_); }

  private:
    // Of arguments and comment, by which thousands of rules can differ.
    static std::string key_of(const Rule& rule) {
        std::string key = rule.comment;
        for (const ArgumentCondition& it : rule.args)
            key += '\0' + it.op + ' ' + std::to_string(it.index) + ' ' + std::to_string(it.value) + ' ' +
                   std::to_string(it.value_two);
        return key;
    }

    std::vector<Rule> rules_;
    std::map<std::string, std::vector<std::size_t>> by_what_they_say_;
};

using Families = std::map<Abi, std::set<Abi>>;  // by native ABI

Families families_of(const Profile& profile, Abi native) {
    Families families;
    for (const ArchitectureFamily& family : profile.arch_map)
        if (const AbiInfo* row = find_abi_by_token(family.architecture))
            families[row->abi] = abis_of(profile, row->abi);
    for (const std::string& token : profile.architectures)
        if (const AbiInfo* row = find_abi_by_token(token)) {
            families[row->native].insert(row->native);
            families[row->native].insert(row->abi);
        }
    if (families.empty()) families[native] = {native};
    return families;
}

Families merged_families(std::span<const NamedProfile> inputs, MergeKind kind, Abi native) {
    Families result = families_of(inputs.front().profile, native);
    if (kind == MergeKind::subtract) return result;
    for (const NamedProfile& input : inputs.subspan(1)) {
        const Families other = families_of(input.profile, native);
        if (kind == MergeKind::unite) {
            for (const auto& [key, abis] : other) result[key].insert(abis.begin(), abis.end());
            continue;
        }
        for (auto family = result.begin(); family != result.end();) {
            const auto same_native = other.find(family->first);
            if (same_native == other.end()) {
                family = result.erase(family);
                continue;
            }
            std::erase_if(family->second, [&](Abi abi) { return same_native->second.count(abi) == 0; });
            ++family;
        }
    }
    return result;
}

void write_families(Profile& profile, const Families& families, bool as_map) {
    profile.architectures.clear();
    profile.arch_map.clear();
    for (const auto& [native, abis] : families) {
        ArchitectureFamily family{std::string(info(native).token), {}};
        for (const Abi abi : abis) {
            if (!as_map)
                profile.architectures.emplace_back(info(abi).token);
            else if (abi != native)
                family.sub_architectures.emplace_back(info(abi).token);
        }
        if (as_map) profile.arch_map.push_back(std::move(family));
    }
}

std::set<Abi> all_abis_of(const Families& families) {
    std::set<Abi> abis;
    for (const auto& [native, of_family] : families) abis.insert(of_family.begin(), of_family.end());
    return abis;
}

std::string listed(const std::set<std::string>& names) {
    std::string list;
    std::size_t count = 0;
    for (const std::string& name : names) {
        if (count++ == most_names_in_a_warning)
            return list + " and " + std::to_string(names.size() - most_names_in_a_warning) + " more";
        list += (list.empty() ? "" : ", ") + name;
    }
    return list;
}

// A name counts on all architectures of a profile. Where the inputs have different ones that is wider than
// the union, or narrower than the difference.
void warn_of_architectures(std::span<const NamedProfile> inputs, MergeKind kind, Abi native,
                           const std::set<Abi>& abis, const std::map<std::string, RulesOfInput>& index,
                           std::vector<std::string>& warnings) {
    if (kind == MergeKind::intersect) return;
    std::vector<std::set<Abi>> of_input;
    for (const NamedProfile& input : inputs)
        of_input.push_back(all_abis_of(families_of(input.profile, native)));
    for (const Abi abi : abis) {
        if (std::all_of(of_input.begin(), of_input.end(),
                        [&](const std::set<Abi>& has) { return has.count(abi) != 0; }))
            continue;
        std::set<std::string> names;
        for (const auto& [name, rules] : index) {
            if (!syscall_number(abi, name)) continue;
            bool with = false;     // let through by an input that has the ABI
            bool without = false;  // by one that has not
            for (const auto& [input, of_name] : rules) {
                if (kind == MergeKind::subtract && input == 0) continue;
                const bool lets = std::any_of(of_name.begin(), of_name.end(),
                                              [](const Rule* rule) { return lets_through(rule->action); });
                (of_input[input].count(abi) != 0 ? with : without) |= lets;
            }
            if (without && !with) names.insert(name);
        }
        if (names.empty()) continue;
        const std::string id(info(abi).id);
        warnings.push_back(kind == MergeKind::unite
                               ? "allowed on " + id +
                                     " as well, since a profile's names count on all of its "
                                     "architectures: " +
                                     listed(names)
                               : "not left on " + id +
                                     " either, since a profile's names count on all of its "
                                     "architectures: " +
                                     listed(names));
    }
}

// For an intersection or difference it matters that a rule for socket() is one for socketcall(1, …), too,
// where an ABI has that. (For a union it follows by itself.)
void add_multiplexers(std::map<std::string, RulesOfInput>& index, const std::set<Abi>& abis,
                      std::list<Rule>& storage) {
    std::map<std::string, RulesOfInput> through;
    for (const auto& [name, rules] : index)
        for (const Abi abi : abis) {
            const auto by = multiplexed(abi, name);
            if (!by) continue;
            for (const auto& [input, of_input] : rules)
                for (const Rule* rule : of_input) {
                    storage.push_back(through_multiplexer(*rule, *by));
                    through[std::string(by->call)][input].push_back(&storage.back());
                }
            break;  // the same on all ABIs that have it
        }
    for (const auto& [name, of_inputs] : through)
        for (const auto& [input, rules] : of_inputs) {
            auto& own = index[name][input];
            own.insert(own.end(), rules.begin(), rules.end());
        }
}

// What rules say about socket() is said about socketcall(1, …) as well, which makes no sense of conditions on
// arguments and cannot be denied apart. Where inputs do such things the result may differ there.
void warn_of_multiplexers(const std::map<std::string, RulesOfInput>& index, MergeKind kind,
                          const std::set<Abi>& abis, std::vector<std::string>& warnings) {
    std::set<std::string> multiplexers;
    std::set<std::string> doubtful;
    for (const auto& [name, rules] : index)
        for (const Abi abi : abis) {
            const auto by = multiplexed(abi, name);
            if (!by) continue;
            multiplexers.emplace(by->call);
            for (const auto& [input, of_input] : rules)
                for (const Rule* rule : of_input)
                    if (!lets_through(rule->action) ||
                        std::any_of(rule->args.begin(), rule->args.end(),
                                    [](const ArgumentCondition& condition) { return condition.index != 0; }))
                        doubtful.emplace(by->call);
        }
    for (const std::string& name : multiplexers) {
        const auto rules = index.find(name);
        if (rules == index.end()) continue;
        for (const auto& [input, of_input] : rules->second)
            for (const Rule* rule : of_input)
                if (lets_through(rule->action) == (kind == MergeKind::subtract && input != 0))
                    doubtful.insert(name);
    }
    for (const std::string& name : doubtful)
        warnings.push_back(name +
                           " is allowed for what the calls are allowed for that it stands for, also "
                           "where the inputs say otherwise: rules cannot tell the two apart");
}

bool has_unknown_members(const Rule& rule) {
    return !rule.unknown.empty() || !rule.includes.unknown.empty() || !rule.excludes.unknown.empty();
}

void warn_of_what_is_left_out(std::span<const NamedProfile> inputs, std::vector<std::string>& warnings) {
    const Profile& first = inputs.front().profile;
    for (const NamedProfile& input : inputs) {
        const Profile& profile = input.profile;
        if (profile.flags != first.flags || profile.listener_path != first.listener_path ||
            profile.listener_metadata != first.listener_metadata)
            warnings.push_back("flags and listener are those of " + inputs.front().name + "; " + input.name +
                               " has others");
        if (std::any_of(profile.rules.begin(), profile.rules.end(), has_unknown_members))
            warnings.push_back("members of rules that callcensus does not know are left out: " + input.name);
    }
}

}  // namespace

Result<Merged> merge(std::span<const NamedProfile> inputs, MergeKind kind, const Machine& machine) {
    if (inputs.empty()) return fail("there is nothing to merge");
    const AbiInfo* native = find_machine_abi(machine.arch);
    if (native == nullptr) return fail("\"" + machine.arch + "\" is no architecture that callcensus knows");

    Merged merged;
    Profile& result = merged.profile;
    const Profile& first = inputs.front().profile;
    result.flags = first.flags;
    result.listener_path = first.listener_path;
    result.listener_metadata = first.listener_metadata;
    result.unknown = first.unknown;
    warn_of_what_is_left_out(inputs, merged.warnings);

    std::vector<Decision> defaults;
    for (const NamedProfile& input : inputs) defaults.push_back(default_decision(input.profile));
    const Decision denial =
        lets_through(defaults.front().action) ? Decision{Action::errno_, ENOSYS} : defaults.front();
    Decision otherwise = defaults.front();
    for (std::size_t i = 1; i < defaults.size(); ++i)
        otherwise = combine(otherwise, defaults[i], kind, denial);
    result.default_action = otherwise.action;
    if (otherwise.action == Action::errno_ || otherwise.action == Action::trace)
        result.default_errno_ret = otherwise.value;

    const bool as_map = std::any_of(inputs.begin(), inputs.end(), [](const NamedProfile& input) {
        return !input.profile.arch_map.empty();
    });
    const Families families = merged_families(inputs, kind, native->abi);
    write_families(result, families, as_map);
    const bool none_says = std::all_of(inputs.begin(), inputs.end(), [](const NamedProfile& input) {
        return input.profile.arch_map.empty() && input.profile.architectures.empty();
    });
    if (none_says) result.architectures.clear();  // the native one, of whichever machine
    const std::set<Abi> abis = all_abis_of(families);
    std::set<ArgumentWidth> widths;
    for (const Abi abi : abis) widths.insert(argument_width(abi));
    if (widths.empty()) widths.insert(argument_width(native->abi));

    auto index = index_by_name(inputs);
    std::list<Rule> through_multiplexers;
    if (inputs.size() > 1) warn_of_multiplexers(index, kind, abis, merged.warnings);
    if (kind != MergeKind::unite) add_multiplexers(index, abis, through_multiplexers);
    warn_of_architectures(inputs, kind, native->abi, abis, index, merged.warnings);
    CallMerger merger(kind, otherwise, denial, widths, merged.warnings);
    RuleCollector rules;
    for (const auto& [name, of_name] : index) {
        const std::vector<Voice> voices = voices_of(of_name, defaults, kind);
        if (const Voice* voice = merger.deciding(voices)) {
            for (Rule& rule : as_they_are(of_name, *voice)) rules.add(name, std::move(rule));
            continue;
        }
        const std::string reasons = comments_of(of_name, true);
        const std::string reasons_against = comments_of(of_name, false);
        for (Rule& rule : merger.rules(name, voices)) {
            rule.comment = lets_through(rule.action) ? reasons : reasons_against;
            rules.add(name, std::move(rule));
        }
    }
    result.rules = std::move(rules).take();
    return merged;
}

std::vector<Recording> merge(std::vector<std::vector<Recording>> inputs, MergeKind kind) {
    if (inputs.empty()) return {};
    std::vector<Recording> result = std::move(inputs.front());
    if (kind == MergeKind::unite) {
        for (std::size_t i = 1; i < inputs.size(); ++i)
            std::move(inputs[i].begin(), inputs[i].end(), std::back_inserter(result));
        return result;
    }
    std::vector<SyscallSet> others;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        SyscallSet calls;
        for (const Recording& recording : inputs[i]) {
            for (const CallRecord& record : recording.calls) calls.insert(record.call);
            for (const Syscall call : recording.assumed) calls.insert(call);
        }
        others.push_back(std::move(calls));
    }
    if (others.empty()) return result;
    const auto is_left_out = [&](Syscall call) {
        const auto has = [&](const SyscallSet& calls) { return calls.contains(call); };
        return kind == MergeKind::intersect ? !std::all_of(others.begin(), others.end(), has)
                                            : std::any_of(others.begin(), others.end(), has);
    };
    for (Recording& recording : result) {
        const auto left_out =
            std::erase_if(recording.calls,
                          [&](const CallRecord& record) { return is_left_out(record.call); }) +
            std::erase_if(recording.assumed, is_left_out);
        recording.notes.push_back(std::to_string(left_out) + " of its calls are left out, which " +
                                  (kind == MergeKind::intersect ? "not all" : "some") + " of the " +
                                  std::to_string(others.size()) + " other inputs have" +
                                  (kind == MergeKind::intersect ? "" : " too"));
    }
    return result;
}

}  // namespace callcensus
