#include "callcensus/explain.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "abi/libc_functions.hpp"
#include "callcensus/abi.hpp"
#include "meaning/speaking_rules.hpp"

namespace callcensus {
namespace {

ArgumentSet known_arguments(const KnownArguments& arguments, ArgumentWidth width) {
    Conditions conditions;
    for (std::uint32_t i = 0; i < argument_count; ++i)
        if (arguments.at(i)) conditions.push_back({i, *arguments.at(i), 0, Comparison::eq});
    return set_of(conditions, width);
}

// The one decision that there can be, or none.
std::optional<Decision> settled(const CallMeaning& meaning, const ArgumentSet& known) {
    std::vector<Decision> possible;
    ArgumentSet parts;
    for (const CallMeaning::Part& part : meaning.parts) {
        if (!intersection(part.arguments, known).empty()) possible.push_back(part.decision);
        parts = union_of(parts, part.arguments);
    }
    if (!covers(parts, known)) possible.push_back(meaning.otherwise);
    return possible.size() == 1 ? std::optional(possible.front()) : std::nullopt;
}

Result<Reading> read(const Profile& profile, const Machine& machine, Syscall call,
                     const KnownArguments& arguments) {
    const ArgumentWidth width = argument_width(call.abi);
    const std::string name = name_or_number(call);
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    Reading reading;
    reading.covered = abis_of(profile, *native).count(call.abi) != 0;
    if (!reading.covered) {
        reading.decision = Decision{Action::kill_thread, 0};
        reading.meaning = always(*reading.decision, width);
        return reading;
    }
    const std::vector<SpeakingRule> speaking = speaking_rules(profile, machine, call.abi, name);
    std::vector<const Rule*> rules;
    for (const SpeakingRule& one : speaking) rules.push_back(&one.rule);
    auto meaning = meaning_of(rules, default_decision(profile), width);
    if (!meaning) return fail(too_complicated(name));
    reading.meaning = std::move(*meaning);
    const ArgumentSet known = known_arguments(arguments, width);
    reading.decision = settled(reading.meaning, known);

    const auto reason = [](const SpeakingRule& one) {
        return Reason{one.index, decision_of(one.rule), one.rule.args};
    };
    const auto unconditional = std::find_if(speaking.begin(), speaking.end(),
                                            [](const SpeakingRule& one) { return one.rule.args.empty(); });
    if (unconditional != speaking.end()) {
        reading.reasons = {reason(*unconditional)};
        return reading;
    }
    // The first whose conditions hold decides: those after one that holds for certain have no say.
    ArgumentSet decided;
    for (const SpeakingRule& one : speaking) {
        const ArgumentSet here = intersection(set_of(one.rule.args, width), known);
        if (here.empty() || covers(decided, known)) continue;
        decided = union_of(decided, here);
        reading.reasons.push_back(reason(one));
    }
    reading.default_decides = !covers(decided, known);
    return reading;
}

bool alike(const Reading& a, const Reading& b) {
    return a.covered == b.covered && a.decision == b.decision && a.reasons == b.reasons &&
           a.default_decides == b.default_decides && same(a.meaning, b.meaning);
}

}  // namespace

Result<Syscall> find_call(Abi abi, const std::string& name_or_number) {
    std::uint32_t number = 0;
    const char* const last = name_or_number.data() + name_or_number.size();
    const auto [end, error] = std::from_chars(name_or_number.data(), last, number);
    if (error == std::errc() && end == last) return Syscall{abi, number};
    if (const auto known = syscall_number(abi, name_or_number)) return Syscall{abi, *known};
    std::string meant;
    for (const std::string& call : meant_calls(name_or_number, {abi}))
        meant += (meant.empty() ? "; is \"" : " or \"") + call + "\"";
    return fail("there is no call \"" + name_or_number + "\" on " + std::string(info(abi).id) + meant +
                (meant.empty() ? "" : " meant?"));
}

Profile without_errno_names(Profile profile) {
    profile.default_errno_name.clear();
    for (Rule& rule : profile.rules) rule.errno_name.clear();
    return profile;
}

Profile as_plain_oci(const Profile& profile) {
    Profile plain = without_errno_names(profile);
    plain.arch_map.clear();
    for (Rule& rule : plain.rules) {
        rule.name.clear();
        rule.includes = {};
        rule.excludes = {};
    }
    return plain;
}

Result<std::vector<Reading>> explain(const Profile& profile, const Machine& machine, Abi abi,
                                     const std::string& call, const KnownArguments& arguments) {
    const auto found = find_call(abi, call);
    if (!found) return tl::unexpected(found.error());
    struct Reader {
        std::vector<std::string> names;
        Profile profile;
    };
    const std::array readers{Reader{{"podman"}, profile}, Reader{{"docker"}, without_errno_names(profile)},
                             Reader{{"runc", "crun", "containerd"}, as_plain_oci(profile)}};
    std::vector<Reading> readings;
    for (const Reader& reader : readers) {
        auto reading = read(reader.profile, machine, *found, arguments);
        if (!reading) return tl::unexpected(reading.error());
        const auto known = std::find_if(readings.begin(), readings.end(),
                                        [&](const Reading& other) { return alike(other, *reading); });
        Reading& group = known != readings.end() ? *known : readings.emplace_back(std::move(*reading));
        group.readers.insert(group.readers.end(), reader.names.begin(), reader.names.end());
    }
    return readings;
}

}  // namespace callcensus
