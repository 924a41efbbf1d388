// The OCI seccomp format and what Docker and Podman add to it.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "callcensus/format.hpp"
#include "format/errno_limit.hpp"
#include "format/formats.hpp"
#include "format/json_decoder.hpp"
#include "format/json_text.hpp"
#include "format/oci.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

// ---- reading ----

Action read_action(Fields& fields, std::string_view key) {
    const Placed field = fields.required(key);
    const auto text = fields.text(key);
    if (!text) return Action::errno_;
    const auto action = find_action(*text);
    if (!action)
        fields.complain(field, "is an unknown action \"" + *text + "\"; known are " + all_action_tokens(),
                        Fault::Kind::action);
    return action.value_or(nearest_action(*text));
}

void check_architecture(Fields& fields, const Placed& at, const std::string& token) {
    // Architectures that libseccomp knows and we have no ABI for.
    constexpr std::array<std::string_view, 5> others{
        "SCMP_ARCH_PPC", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_M68K", "SCMP_ARCH_SHEB"};
    if (find_abi_by_token(token) == nullptr &&
        std::find(others.begin(), others.end(), token) == others.end() && token != "SCMP_ARCH_SH")
        fields.complain(at,
                        "is an unknown architecture \"" + token + "\"; it should look like SCMP_ARCH_X86_64",
                        Fault::Kind::architecture);
}

std::vector<std::string> read_architectures(Fields& fields, std::string_view key) {
    const std::vector<std::string> tokens = fields.texts(key);
    const auto field = fields.find(key);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const LocatedJson& element = field->node->elements[i];
        if (element.type == nlohmann::json::value_t::string)
            check_architecture(fields, {&element, field->path + "[" + std::to_string(i) + "]"}, tokens[i]);
    }
    return tokens;
}

ArchitectureFamily read_family(Decoder& decoder, const Placed& at) {
    Fields fields(decoder, at);
    ArchitectureFamily family;
    static_cast<void>(fields.required("architecture"));
    if (const auto architecture = fields.text("architecture")) {
        family.architecture = *architecture;
        check_architecture(fields, at, family.architecture);
    }
    family.sub_architectures = read_architectures(fields, "subArchitectures");
    return family;
}

ArgumentCondition read_condition(Decoder& decoder, const Placed& at) {
    Fields fields(decoder, at);
    ArgumentCondition condition;
    condition.index = fields.required_whole<std::uint32_t>("index");
    if (condition.index > 5)
        fields.complain(at, "has an index above 5; a system call has six arguments", Fault::Kind::index);
    condition.value = fields.required_whole<std::uint64_t>("value");
    condition.value_two = fields.whole<std::uint64_t>("valueTwo").value_or(0);
    const Placed op = fields.required("op");
    const auto text = fields.text("op");
    if (!text) return condition;
    if (const auto comparison = find_comparison(*text))
        condition.op = *comparison;
    else
        fields.complain(op, "is an unknown operator \"" + *text + "\"; it should look like SCMP_CMP_EQ",
                        Fault::Kind::comparison);
    return condition;
}

Context read_context(Decoder& decoder, Fields& rule, std::string_view key) {
    Context context;
    const auto at = rule.find(key);
    if (!at) return context;
    Fields fields(decoder, *at);
    context.caps = fields.texts("caps");
    context.arches = fields.texts("arches");
    context.min_kernel = fields.text("minKernel").value_or("");
    context.unknown = fields.unknown();
    return context;
}

Rule read_rule(Decoder& decoder, const Placed& at) {
    Fields fields(decoder, at);
    Rule rule;
    rule.names = fields.texts("names");
    rule.name = fields.text("name").value_or("");
    if (!rule.names.empty() && !rule.name.empty())
        fields.complain(at, "has both \"name\" and \"names\", which Docker and Podman refuse",
                        Fault::Kind::name_and_names);
    rule.action = read_action(fields, "action");
    rule.errno_ret = fields.whole<std::uint32_t>("errnoRet");
    rule.errno_name = fields.text("errno").value_or("");
    for (const Placed& argument : fields.list("args")) rule.args.push_back(read_condition(decoder, argument));
    rule.comment = fields.text("comment").value_or("");
    rule.includes = read_context(decoder, fields, "includes");
    rule.excludes = read_context(decoder, fields, "excludes");
    rule.unknown = fields.unknown();
    return rule;
}

void check_mark(Decoder& decoder, const LocatedJson& root, std::string_view text) {
    if (text.rfind("\xef\xbb\xbf", 0) == 0)
        decoder.complain(root, "the file begins with a byte-order mark, which no container runtime reads",
                         Fault::Kind::byte_order_mark);
}

// Of a value and everything in it. Keys that come twice are complained of on the way.
void find_places(Decoder& decoder, const Placed& at, const LineIndex& lines,
                 std::map<std::string, Place, std::less<>>& places) {
    places[at.path] = lines[at.node->offset];
    for (std::size_t i = 0; i < at.node->elements.size(); ++i)
        find_places(decoder, {&at.node->elements[i], at.path + "[" + std::to_string(i) + "]"}, lines, places);
    std::set<std::string_view> seen;
    for (const auto& [key, value] : at.node->members) {
        const Placed member{&value, at.path + (at.path.empty() ? "" : ".") + key};
        if (!seen.insert(key).second)
            decoder.complain(value, member.path + " comes twice, and the last one counts",
                             Fault::Kind::repeated_key);
        find_places(decoder, member, lines, places);
    }
}

// ---- writing ----

void write_unknown(Json& object, const UnknownMembers& members) {
    for (const auto& [key, value] : members) object[key] = Json::parse(value);
}

Json write_context(const Context& context) {
    Json object = Json::object();
    if (!context.caps.empty()) object["caps"] = context.caps;
    if (!context.arches.empty()) object["arches"] = context.arches;
    if (!context.min_kernel.empty()) object["minKernel"] = context.min_kernel;
    write_unknown(object, context.unknown);
    return object;
}

Json write_condition(const ArgumentCondition& condition) {
    Json object;
    object["index"] = condition.index;
    object["value"] = condition.value;
    if (condition.value_two != 0) object["valueTwo"] = condition.value_two;
    object["op"] = token(condition.op);
    return object;
}

Json write_rule(const Rule& rule) {
    Json object = Json::object();
    if (!rule.name.empty())
        object["name"] = rule.name;
    else
        object["names"] = rule.names;
    object["action"] = token(rule.action);
    if (rule.errno_ret) object["errnoRet"] = *rule.errno_ret;
    if (!rule.errno_name.empty()) object["errno"] = rule.errno_name;
    for (const ArgumentCondition& condition : rule.args) object["args"].push_back(write_condition(condition));
    if (!rule.comment.empty()) object["comment"] = rule.comment;
    if (!rule.includes.empty()) object["includes"] = write_context(rule.includes);
    if (!rule.excludes.empty()) object["excludes"] = write_context(rule.excludes);
    write_unknown(object, rule.unknown);
    return object;
}

}  // namespace

Profile read_oci_object(Decoder& decoder, const Placed& at) {
    Fields fields(decoder, at);
    Profile profile;
    profile.default_action = read_action(fields, "defaultAction");
    profile.default_errno_ret = fields.whole<std::uint32_t>("defaultErrnoRet");
    profile.default_errno_name = fields.text("defaultErrno").value_or("");
    profile.architectures = read_architectures(fields, "architectures");
    for (const Placed& family : fields.list("archMap"))
        profile.arch_map.push_back(read_family(decoder, family));
    if (!profile.architectures.empty() && !profile.arch_map.empty())
        fields.complain(fields.required("archMap"),
                        "stands beside \"architectures\", which Docker and Podman refuse",
                        Fault::Kind::architectures_twice);
    profile.flags = fields.texts("flags");
    profile.listener_path = fields.text("listenerPath").value_or("");
    profile.listener_metadata = fields.text("listenerMetadata").value_or("");
    for (const Placed& rule : fields.list("syscalls")) profile.rules.push_back(read_rule(decoder, rule));
    profile.unknown = fields.unknown();
    return profile;
}

void complain_of_what_runtimes_refuse(Decoder& decoder, const Placed& object, const Profile& profile) {
    const auto check = [&](const Placed& at, std::string_view key, const Decision& decision) {
        Fields fields(decoder, at);
        const auto field = fields.find(key);
        if (field && decision.action == Action::errno_ && decision.value > largest_errno)
            fields.complain(*field,
                            "is " + std::to_string(decision.value) + "; the largest errno is " +
                                std::to_string(largest_errno) + ", and runtimes refuse the file",
                            Fault::Kind::errno_range);
    };
    if (decoder.failed()) return;
    check(object, "defaultErrnoRet", default_decision(profile));
    const std::vector<Placed> rules = Fields(decoder, object).list("syscalls");
    for (std::size_t i = 0; i < rules.size(); ++i) check(rules[i], "errnoRet", decision_of(profile.rules[i]));
}

Result<Profile> parse_profile(std::string_view text, const std::string& source) {
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, source);
    check_mark(decoder, *root, text);
    Profile profile = read_oci_object(decoder, {&*root, ""});
    complain_of_what_runtimes_refuse(decoder, {&*root, ""}, profile);
    if (decoder.failed()) return decoder.error();
    return profile;
}

Result<Profile> read_oci(std::string_view text, const ReadContext& context) {
    return parse_profile(text, context.source);
}

Result<Profile> read_runtime_config(std::string_view text, const ReadContext& context) {
    const auto root = parse_located(text, context.source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, context.source);
    Fields fields(decoder, {&*root, ""});
    const auto on_linux = fields.find("linux");
    const auto seccomp = on_linux ? Fields(decoder, *on_linux).find("seccomp") : std::nullopt;
    if (!seccomp && !decoder.failed())
        return fail("is a container's configuration without linux.seccomp: it runs without a filter",
                    context.source);
    Profile profile = seccomp ? read_oci_object(decoder, *seccomp) : Profile();
    if (seccomp) complain_of_what_runtimes_refuse(decoder, *seccomp, profile);
    if (decoder.failed()) return decoder.error();
    return profile;
}

Result<ProfileText> read_oci_leniently(std::string_view text, const std::string& source) {
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, source);
    check_mark(decoder, *root, text);
    Profile profile = read_oci_object(decoder, {&*root, ""});
    complain_of_what_runtimes_refuse(decoder, {&*root, ""}, profile);
    return located(std::move(profile), *root, decoder, text);
}

ProfileText located(Profile profile, const LocatedJson& object, Decoder& decoder, std::string_view text) {
    ProfileText read;
    read.profile = std::move(profile);
    const LineIndex lines(text);
    find_places(decoder, {&object, ""}, lines, read.places);
    for (const auto& [kind, offset, what] : decoder.complaints())
        read.faults.push_back({kind, lines[offset], what});
    return read;
}

std::string write_profile(const Profile& profile) {
    Json object;
    object["defaultAction"] = token(profile.default_action);
    if (profile.default_errno_ret) object["defaultErrnoRet"] = *profile.default_errno_ret;
    if (!profile.default_errno_name.empty()) object["defaultErrno"] = profile.default_errno_name;
    if (!profile.architectures.empty()) object["architectures"] = profile.architectures;
    for (const ArchitectureFamily& family : profile.arch_map) {
        Json entry;
        entry["architecture"] = family.architecture;
        entry["subArchitectures"] = family.sub_architectures;
        object["archMap"].push_back(std::move(entry));
    }
    if (!profile.flags.empty()) object["flags"] = profile.flags;
    if (!profile.listener_path.empty()) object["listenerPath"] = profile.listener_path;
    if (!profile.listener_metadata.empty()) object["listenerMetadata"] = profile.listener_metadata;
    object["syscalls"] = Json::array();
    for (const Rule& rule : profile.rules) object["syscalls"].push_back(write_rule(rule));
    write_unknown(object, profile.unknown);
    return json_text(object, 2) + "\n";
}

}  // namespace callcensus
