// SeccompProfile of the security-profiles-operator, security-profiles-operator.x-k8s.io/v1beta1. The operator
// hands its spec to the container runtime as an OCI profile.
//
// Source: its api/seccompprofile/v1beta1/seccompprofile_types.go.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <limits>
#include <set>

#include "format/flat_profile.hpp"
#include "format/formats.hpp"
#include "format/spo.hpp"
#include "format/yaml_writer.hpp"

namespace callcensus {

using namespace flat;

namespace {

// Tokens that others take and its schema refuses.
constexpr std::array<std::string_view, 4> missing_architectures{"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
                                                                "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"};

constexpr Decision eperm{Action::errno_, EPERM};
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

template <class List>
bool contains(const List& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

// What Kubernetes accepts as a name: words joined by `.`, of at most 253 characters together; a word has
// lower case letters, digits and `-`, with a letter or digit at both ends.
std::string object_name(std::string name) {
    const auto is_alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    std::transform(name.begin(), name.end(), name.begin(), [&](char c) {
        return is_alphanumeric(c) || c == '.' ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
                                              : '-';
    });
    name = name.substr(0, 253);
    name.erase(name.begin(), std::find_if(name.begin(), name.end(), is_alphanumeric));
    name.erase(std::find_if(name.rbegin(), name.rend(), is_alphanumeric).base(), name.end());
    for (std::size_t at = name.find('.'); at != std::string::npos; at = name.find('.', at + 1))
        if (!is_alphanumeric(name[at - 1]) || !is_alphanumeric(name[at + 1])) name[at] = '-';
    return name.empty() ? "profile" : name;
}

void write_condition(YamlWriter& yaml, const ArgumentCondition& condition) {
    yaml.begin_map();
    yaml.text("index").number(condition.index);
    yaml.text("value").number(condition.value);
    if (condition.value_two != 0) yaml.text("valueTwo").number(condition.value_two);
    yaml.text("op").text(std::string(token(condition.op)));
    yaml.end_map();
}

void write_rule(YamlWriter& yaml, const Rule& rule) {
    yaml.begin_map();
    yaml.text("action").text(token(rule.action));
    if (rule.errno_ret.value_or(0) != 0) yaml.text("errnoRet").number(*rule.errno_ret);
    yaml.text("names").begin_list();
    for (const std::string& name : rule.names) yaml.text(name);
    yaml.end_list();
    if (!rule.args.empty()) {
        yaml.text("args").begin_list();
        for (const ArgumentCondition& condition : rule.args) write_condition(yaml, condition);
        yaml.end_list();
    }
    yaml.end_map();
}

bool has_large_value(const ArgumentCondition& condition) {
    return condition.value > largest || condition.value_two > largest;
}

// The rules as the format can say them.
std::vector<Rule> sayable_rules(const Profile& profile, std::vector<std::string>& losses) {
    std::vector<Rule> rules;
    for (Rule rule : profile.rules) {
        if (rule.names.empty()) continue;
        const bool has_number = rule.action == Action::errno_ || rule.action == Action::trace;
        if (rule.errno_ret == 0U && has_number)
            losses.push_back("errnoRet 0 of " + listed(rule.names) + ": 0 is EPERM there");
        if (std::any_of(rule.args.begin(), rule.args.end(), has_large_value)) {
            losses.push_back(
                fmt::format("values above {} in conditions of {}: {} always", largest, listed(rule.names),
                            lets_through(rule.action) ? "denied" : "denied, and not only then,"));
            if (lets_through(rule.action)) continue;
            rule.args.clear();
        }
        if (rule.args.size() <= 6) {
            rules.push_back(std::move(rule));
            continue;
        }
        // More conditions than a call has arguments: each is a rule of its own for every runtime.
        for (const ArgumentCondition& condition : std::exchange(rule.args, {})) {
            rules.push_back(rule);
            rules.back().args = {condition};
        }
    }
    return rules;
}

void remove_names(Rule& rule, const std::set<std::string>& names) {
    rule.names.erase(std::remove_if(rule.names.begin(), rule.names.end(),
                                    [&](const std::string& name) { return names.count(name) != 0; }),
                     rule.names.end());
}

// Where the default becomes EPERM, runtimes drop rules that say EPERM, and what these denied would be up to
// others. Those give way.
void keep_denials(Profile& profile, std::vector<std::string>& losses) {
    std::set<std::string> denied_always;
    for (const CallPolicy& call : policy_by_call(profile))
        if (call.always && *call.always == eperm) denied_always.insert(call.name);
    std::set<std::string> denied_sometimes;
    std::set<std::string> told;
    for (Rule& rule : profile.rules) {
        if (!(decision_of(rule) == eperm)) remove_names(rule, denied_always);
        if (rule.args.empty()) continue;
        if (decision_of(rule) == eperm) {
            denied_sometimes.insert(rule.names.begin(), rule.names.end());
        } else if (lets_through(rule.action)) {
            for (const std::string& name : rule.names)
                if (denied_sometimes.count(name) != 0) told.insert(name);
            remove_names(rule, denied_sometimes);
        }
    }
    if (!told.empty())
        losses.push_back("conditions on the arguments of " + listed({told.begin(), told.end()}) +
                         ", of which some deny with EPERM: denied more often");
}

template <class Allowed>
void write_list(YamlWriter& yaml, std::string_view key, const std::vector<std::string>& values,
                const Allowed& is_allowed, std::vector<std::string>& losses) {
    std::vector<std::string> kept;
    for (const std::string& value : values)
        if (is_allowed(value))
            kept.push_back(value);
        else
            losses.push_back(value + ", which its schema does not know");
    if (kept.empty()) return;
    yaml.text(key).begin_list();
    for (const std::string& value : kept) yaml.text(value);
    yaml.end_list();
}

}  // namespace

Result<Written> write_spo(const Profile& profile, const WriteContext& context) {
    Written written;
    Profile flat = flatten(profile, context.machine, written.losses);
    const Decision otherwise = default_decision(flat);
    const bool has_number = otherwise.action == Action::errno_ || otherwise.action == Action::trace;
    if (has_number && otherwise.value != EPERM)
        written.losses.push_back(
            fmt::format("{} for calls that no rule names: they get EPERM", errno_text(otherwise.value)));
    if (otherwise.action == Action::errno_ && otherwise != eperm) keep_denials(flat, written.losses);
    YamlWriter yaml;
    yaml.begin_map();
    yaml.text("apiVersion").text(spo_api_version);
    yaml.text("kind").text(spo_kind);
    yaml.text("metadata").begin_map().text("name").text(object_name(context.name)).end_map();
    yaml.text("spec").begin_map();
    yaml.text("defaultAction").text(token(flat.default_action));
    write_list(
        yaml, "architectures", flat.architectures,
        [](const std::string& token) { return !contains(missing_architectures, token); }, written.losses);
    write_list(
        yaml, "flags", flat.flags, [](const std::string& flag) { return contains(all_filter_flags(), flag); },
        written.losses);
    if (!flat.listener_path.empty()) yaml.text("listenerPath").text(flat.listener_path);
    if (!flat.listener_metadata.empty()) yaml.text("listenerMetadata").text(flat.listener_metadata);
    const std::vector<Rule> rules = sayable_rules(flat, written.losses);
    if (!rules.empty()) {
        yaml.text("syscalls").begin_list();
        for (const Rule& rule : rules) write_rule(yaml, rule);
        yaml.end_list();
    }
    yaml.end_map().end_map();
    written.content = heading_comment(flat, context.source) + std::move(yaml).content();
    return written;
}

}  // namespace callcensus
