#include "callcensus/merge.hpp"

#include <algorithm>
#include <cerrno>
#include <list>
#include <map>
#include <set>

#include "base/words.hpp"
#include "meaning/loading.hpp"
#include "meaning/speaking_rules.hpp"
#include "policy/comments.hpp"
#include "policy/merge_call.hpp"

namespace callcensus {
namespace {

constexpr std::size_t max_names_in_a_warning = 8;

using RulesOfInput = std::map<std::size_t, std::vector<const Rule*>>;  // by index of the input

std::map<std::string, RulesOfInput> index_by_name(std::span<const NamedProfile> inputs) {
    std::map<std::string, RulesOfInput> index;
    for (std::size_t input = 0; input < inputs.size(); ++input)
        for (const Rule& rule : inputs[input].profile.rules) {
            for (const std::string& name : names_of(rule)) {
                auto& rules = index[name][input];
                if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
            }
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
        result.push_back(rule_of(decision_of(rule), rule.args, rule.includes, rule.excludes));
        result.back().comment = comments.text();
    }
    return result;
}

// Rules that differ in their names only become one; those of each name stay in their order.
class RuleCollector {
  public:
    void add(const std::string& name, const std::vector<Rule>& of_name) {
        std::size_t first = 0;  // where the next one may stand
        for (const Rule& rule : of_name) first = add(name, rule, first);
    }
    std::vector<Rule> take() && {
        for (Rule& rule : rules_) std::sort(rule.names.begin(), rule.names.end());
        return std::move(rules_);
    }

  private:
    std::size_t add(const std::string& name, const Rule& rule, std::size_t first) {
        auto& alike = by_what_they_say_[key_of(rule)];
        for (const std::size_t at : alike) {
            Rule& other = rules_[at];
            if (at < first || !say_the_same(other, rule)) continue;
            if (other.names.back() != name) other.names.push_back(name);
            return at;
        }
        alike.push_back(rules_.size());
        rules_.push_back(rule);
        rules_.back().names = {name};
        return rules_.size() - 1;
    }

    // Of arguments and comment, by which thousands of rules can differ.
    static std::string key_of(const Rule& rule) {
        std::string key = rule.comment;
        for (const ArgumentCondition& it : rule.args)
            key += '\0' + std::string(token(it.op)) + ' ' + std::to_string(it.index) + ' ' +
                   std::to_string(it.value) + ' ' + std::to_string(it.value_two);
        return key;
    }

    std::vector<Rule> rules_;
    std::map<std::string, std::vector<std::size_t>> by_what_they_say_;
};

using RulesOfCalls = std::map<std::string, std::vector<Rule>>;

// A multiplexer's own come first: what it is the multiplexer of has its say where they have none.
std::vector<Rule> collected(const RulesOfCalls& calls) {
    RuleCollector collector;
    for (const bool multiplexers : {true, false})
        for (const auto& [name, rules] : calls)
            if (is_multiplexer(name) == multiplexers) collector.add(name, rules);
    return std::move(collector).take();
}

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

// A name counts on all architectures of a profile. Where the inputs have different ones that is wider than
// the union, or narrower than the difference.
class ArchitectureWarnings {
  public:
    ArchitectureWarnings(std::span<const NamedProfile> inputs, MergeKind kind, Abi native)
        : inputs_(inputs), kind_(kind) {
        for (const NamedProfile& input : inputs)
            abis_.push_back(all_abis_of(families_of(input.profile, native)));
    }

    void add(const std::set<Abi>& abis, const std::map<std::string, RulesOfInput>& index,
             std::vector<std::string>& warnings) const {
        if (kind_ == MergeKind::intersect) return;
        for (const Abi abi : abis) {
            std::set<std::string> names;
            // What no rule names is like a name without rules.
            if (is_inexact(abi, {})) names.insert("calls that no rule names");
            for (const auto& [name, rules] : index)
                if (syscall_number(abi, name) && is_inexact(abi, rules)) names.insert(name);
            if (names.empty()) continue;
            warnings.push_back((kind_ == MergeKind::unite ? "allowed on " : "not left on ") +
                               std::string(info(abi).id) +
                               (kind_ == MergeKind::unite ? " as well" : " either") +
                               ", since a profile's names count on all of its architectures: " +
                               listed(names, max_names_in_a_warning));
        }
    }

  private:
    enum class Lets : std::uint8_t { nothing, something, everything };

    [[nodiscard]] Lets lets(std::size_t input, const RulesOfInput& rules) const {
        const auto found = rules.find(input);
        if (found == rules.end() || found->second.empty())
            return lets_through(inputs_[input].profile.default_action) ? Lets::everything : Lets::nothing;
        const auto& of_input = found->second;
        const auto lets_rule = [](const Rule* rule) { return lets_through(rule->action); };
        // One rule that holds everywhere and for all arguments decides alone.
        if (const Rule& first = *of_input.front();
            of_input.size() == 1 && first.args.empty() && first.includes.empty() && first.excludes.empty())
            return lets_rule(&first) ? Lets::everything : Lets::nothing;
        if (std::none_of(of_input.begin(), of_input.end(), lets_rule) &&
            !lets_through(inputs_[input].profile.default_action))
            return Lets::nothing;
        const bool always = std::all_of(of_input.begin(), of_input.end(), [&](const Rule* rule) {
            return lets_rule(rule) && rule->args.empty() && rule->includes.empty() && rule->excludes.empty();
        });
        return always ? Lets::everything : Lets::something;
    }

    // Whether an input without the ABI counts there for more than those that have it.
    [[nodiscard]] bool is_inexact(Abi abi, const RulesOfInput& rules) const {
        const bool subtract = kind_ == MergeKind::subtract;
        if (subtract && lets(0, rules) == Lets::nothing) return false;
        bool without = false;
        for (std::size_t input = subtract ? 1 : 0; input < inputs_.size(); ++input) {
            const Lets what = lets(input, rules);
            if (abis_[input].count(abi) == 0)
                without = without || what != Lets::nothing;
            else if (what == Lets::everything)
                return false;
        }
        return without;
    }

    std::span<const NamedProfile> inputs_;
    MergeKind kind_;
    std::vector<std::set<Abi>> abis_;
};

// socketcall or ipc, which what is said about socket() and others decides as well: where their rules do not
// amount to what is wanted it gets rules of its own.
class MultiplexerMerger {
  public:
    MultiplexerMerger(std::span<const NamedProfile> inputs, const std::vector<Decision>& defaults,
                      MergeKind kind, Decision otherwise, CallMerger& merger)
        : inputs_(inputs), defaults_(defaults), kind_(kind), otherwise_(otherwise), merger_(merger) {}

    // `own` is what the inputs' rules for the name itself come to. `abi` is one that has it.
    void add(const std::string& name, Abi abi, std::vector<Rule> own, RulesOfCalls& calls) {
        std::list<Rule> storage;
        const std::vector<Voice> voices = voices_of(rules_of_inputs(name, abi, storage), defaults_, kind_);
        const auto says_it = [&](std::vector<Rule> rules) {
            calls[name] = std::move(rules);
            std::list<Rule> of_result;
            return merger_.means(voice_of_result(name, abi, calls, of_result), voices);
        };
        std::string comment;
        if (!own.empty()) comment = own.front().comment;
        if (says_it(own) || says_it({})) return;
        std::vector<Rule> wanted = merger_.rules(name, voices);
        for (Rule& rule : wanted) rule.comment = comment;
        if (says_it(std::move(wanted))) return;
        calls[name] = {merger_.as_good_as_can_be(name)};
    }

  private:
    RulesOfInput rules_of_inputs(const std::string& name, Abi abi, std::list<Rule>& storage) const {
        RulesOfInput rules;
        for (std::size_t input = 0; input < inputs_.size(); ++input)
            for (SpeakingRule& one : speaking_rules(inputs_[input].profile, abi, name)) {
                storage.push_back(std::move(one.rule));
                rules[input].push_back(&storage.back());
            }
        return rules;
    }
    Voice voice_of_result(const std::string& name, Abi abi, const RulesOfCalls& calls,
                          std::list<Rule>& storage) const {
        Voice voice{otherwise_, {}};
        Profile result;
        result.rules = collected(calls);
        for (SpeakingRule& one : speaking_rules(result, abi, name)) {
            storage.push_back(std::move(one.rule));
            voice.rules.push_back(&storage.back());
        }
        return voice;
    }

    std::span<const NamedProfile> inputs_;
    const std::vector<Decision>& defaults_;
    MergeKind kind_;
    Decision otherwise_;
    CallMerger& merger_;
};

// The ABIs that have the call and make others by it.
std::set<Abi> multiplexing(const std::set<Abi>& abis, const std::string& call) {
    std::set<Abi> some;
    if (!is_multiplexer(call)) return some;
    std::copy_if(abis.begin(), abis.end(), std::inserter(some, some.end()),
                 [&](Abi abi) { return syscall_number(abi, call).has_value(); });
    return some;
}

std::set<ArgumentWidth> widths_of(const std::set<Abi>& abis) {
    std::set<ArgumentWidth> widths;
    for (const Abi abi : abis) widths.insert(argument_width(abi));
    return widths;
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
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());

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
    const Families families = merged_families(inputs, kind, *native);
    write_families(result, families, as_map);
    const bool none_says = std::all_of(inputs.begin(), inputs.end(), [](const NamedProfile& input) {
        return input.profile.arch_map.empty() && input.profile.architectures.empty();
    });
    if (none_says) result.architectures.clear();  // the native one, of whichever machine
    const std::set<Abi> abis = all_abis_of(families);
    std::set<ArgumentWidth> widths = widths_of(abis);
    if (widths.empty()) widths.insert(argument_width(*native));

    const auto index = index_by_name(inputs);
    ArchitectureWarnings(inputs, kind, *native).add(abis, index, merged.warnings);
    CallMerger merger(kind, otherwise, denial, widths, merged.warnings);
    RulesOfCalls calls;
    const auto say = [&](const std::string& name, const RulesOfInput& of_name, CallMerger& by) {
        const std::vector<Voice> voices = voices_of(of_name, defaults, kind);
        if (const Voice* voice = by.deciding(voices)) return as_they_are(of_name, *voice);
        std::vector<Rule> rules = by.rules(name, voices);
        for (Rule& rule : rules) rule.comment = comments_of(of_name, lets_through(rule.action));
        return rules;
    };
    for (const auto& [name, of_name] : index)
        if (multiplexing(abis, name).empty()) calls[name] = say(name, of_name, merger);
    for (const std::string name : {"socketcall", "ipc"}) {
        const std::set<Abi> having = multiplexing(abis, name);
        if (having.empty()) continue;
        CallMerger of_multiplexer(kind, otherwise, denial, widths_of(having), merged.warnings);
        const auto own = index.find(name);
        MultiplexerMerger(inputs, defaults, kind, otherwise, of_multiplexer)
            .add(name, *having.begin(),
                 own == index.end() ? std::vector<Rule>{} : say(name, own->second, of_multiplexer), calls);
    }
    result.rules = collected(calls);
    for (const Abi abi : abis_never_looked_at(result, machine, *native))
        merged.warnings.push_back(
            "libseccomp " + libseccomp_version() + " decides all calls of " + std::string(info(abi).id) +
            " by default: it looks at none where each rule for a call of it has conditions");
    return merged;
}

}  // namespace callcensus
