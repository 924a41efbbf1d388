// Reads Kubernetes manifests for the SeccompProfiles in them; spo.cpp says what such an object is. A manifest
// can be YAML of several documents, or JSON, and an object in it a List of others.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/words.hpp"
#include "format/formats.hpp"
#include "format/located_yaml.hpp"
#include "format/oci.hpp"
#include "format/spo.hpp"

namespace callcensus {
namespace {

LocatedJson* find_value(LocatedJson& object, std::string_view key) {
    const auto found = std::find_if(object.members.begin(), object.members.end(),
                                    [&](const LocatedMember& member) { return member.key == key; });
    return found == object.members.end() ? nullptr : &found->value;
}

void remove_member(LocatedJson& object, std::string_view key) {
    object.members.erase(std::remove_if(object.members.begin(), object.members.end(),
                                        [&](const LocatedMember& member) { return member.key == key; }),
                         object.members.end());
}

// Turns a spec into the OCI object that the operator makes of it: a number that is absent is 0, an errnoRet
// of 0 is none, and earlier versions wrote it as a string.
void make_oci(LocatedJson& spec) {
    using Type = nlohmann::json::value_t;
    remove_member(spec, "state");
    LocatedJson* rules = find_value(spec, "syscalls");
    if (rules == nullptr) return;
    for (LocatedJson& rule : rules->elements) {
        if (LocatedJson* errnum = find_value(rule, "errnoRet")) {
            if (errnum->type == Type::string) {
                const std::string text = errnum->scalar.get<std::string>();
                if (!text.empty() && text.size() < 10 &&
                    text.find_first_not_of("0123456789") == std::string::npos) {
                    errnum->type = Type::number_unsigned;
                    errnum->scalar = std::stoul(text);
                }
            }
            if (errnum->type == Type::number_unsigned && errnum->scalar == 0U)
                remove_member(rule, "errnoRet");
        }
        LocatedJson* conditions = find_value(rule, "args");
        if (conditions == nullptr) continue;
        for (LocatedJson& condition : conditions->elements)
            for (const std::string_view key : {"index", "value"})
                if (condition.type == Type::object && find_value(condition, key) == nullptr) {
                    LocatedJson zero;
                    zero.type = Type::number_unsigned;
                    zero.offset = condition.offset;
                    zero.scalar = 0U;
                    condition.members.push_back({std::string(key), std::move(zero)});
                }
    }
}

Profile read_manifest(Decoder& decoder, LocatedJson& root) {
    if (LocatedJson* spec = find_value(root, "spec")) make_oci(*spec);
    const Placed top{&root, ""};
    Fields fields(decoder, top);
    const std::string api_version = fields.required_text("apiVersion");
    if (api_version.rfind(spo_api_version.substr(0, spo_api_version.find('/') + 1), 0) != 0)
        fields.complain(fields.required("apiVersion"),
                        fmt::format("is \"{}\"; it should be {}", api_version, spo_api_version));
    const std::string of_kind = fields.required_text("kind");
    if (of_kind != spo_kind)
        fields.complain(fields.required("kind"),
                        fmt::format("is \"{}\"; it should be {}", of_kind, spo_kind));
    return read_oci_object(decoder, fields.required("spec"));
}

Profile read_strictly(Decoder& decoder, LocatedJson& root) {
    Profile profile = read_manifest(decoder, root);
    if (const LocatedJson* spec = find_value(root, "spec"))
        complain_of_what_runtimes_refuse(decoder, {spec, "spec"}, profile);
    return profile;
}

std::string text_of(const LocatedJson& object, std::string_view key) {
    for (const auto& [name, value] : object.members)
        if (name == key && value.type == nlohmann::json::value_t::string)
            return value.scalar.get<std::string>();
    return {};
}

std::string kind_of(const LocatedJson& object) { return text_of(object, "kind"); }

std::string name_of(LocatedJson& object) {
    const LocatedJson* metadata = find_value(object, "metadata");
    return metadata == nullptr ? std::string() : text_of(*metadata, "name");
}

// Some objects without a kind are misspelt, and decoding them says so.
bool is_profile(const LocatedJson& object) {
    const std::string kind = kind_of(object);
    return kind.empty() || kind == spo_kind;
}

// In place of a List what it lists; empty documents are left out.
void add_objects(LocatedJson document, std::vector<LocatedJson>& objects) {
    if (document.is_null()) return;
    LocatedJson* items = find_value(document, "items");
    const std::string kind = kind_of(document);
    const bool is_list = kind == "List" || kind == std::string(spo_kind) + "List";
    if (!is_list || items == nullptr) {
        objects.push_back(std::move(document));
        return;
    }
    for (LocatedJson& item : items->elements)
        if (!item.is_null()) objects.push_back(std::move(item));
}

Result<std::vector<LocatedJson>> parse_objects(std::string_view text, const std::string& source) {
    std::vector<LocatedJson> objects;
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos && text[begin] == '{') {
        auto root = parse_located(text, source);
        if (!root) return tl::unexpected(root.error());
        add_objects(std::move(*root), objects);
    } else {
        auto documents = parse_located_yaml(text, source);
        if (!documents) return tl::unexpected(documents.error());
        for (LocatedJson& document : *documents) add_objects(std::move(document), objects);
    }
    if (objects.empty()) return fail("holds no objects", source);
    return objects;
}

std::vector<std::string> names_of(std::vector<LocatedJson>& objects) {
    std::vector<std::string> names;
    for (LocatedJson& object : objects)
        if (is_profile(object)) names.push_back(name_of(object).empty() ? "(unnamed)" : name_of(object));
    return names;
}

// The SeccompProfiles, or the one of the chosen name. A single object is taken for one whatever it is: then
// decoding says what is wrong with it.
Result<std::vector<LocatedJson>> find_profiles(std::string_view text, const ReadContext& context) {
    auto objects = parse_objects(text, context.source);
    if (!objects) return objects;
    std::vector<LocatedJson> found;
    for (LocatedJson& object : *objects) {
        const bool is_chosen = !context.choose.empty() && name_of(object) == context.choose;
        if (is_profile(object) && (context.choose.empty() || is_chosen))
            found.push_back(object);
        else if (!is_profile(object) && context.choose.empty() && objects->size() > 1)
            context.note(fmt::format("is passed over: a {}, no {}", kind_of(object), spo_kind),
                         place(text, context.source, object.offset));
    }
    if (!found.empty()) return found;
    if (context.choose.empty() && objects->size() == 1) return objects;
    if (context.choose.empty()) return fail(fmt::format("holds no {}", spo_kind), context.source);
    const std::vector<std::string> names = names_of(*objects);
    return fail(fmt::format("holds no {} \"{}\"{}", spo_kind, context.choose,
                            names.empty() ? "" : "; it holds " + listed(names, 10)),
                context.source);
}

tl::unexpected<Error> choose_one(std::vector<LocatedJson>& objects, const std::string& source) {
    return fail(fmt::format("holds {} profiles ({}): choose one as {}#NAME", objects.size(),
                            listed(names_of(objects), 10), source),
                source);
}

}  // namespace

Result<std::vector<ProfileInText>> read_manifests(std::string_view text, const ReadContext& context) {
    auto objects = find_profiles(text, context);
    if (!objects) return tl::unexpected(objects.error());
    std::vector<ProfileInText> profiles;
    for (LocatedJson& object : *objects) {
        Decoder decoder(text, context.source);
        profiles.push_back({name_of(object), read_strictly(decoder, object)});
        if (decoder.failed()) return decoder.error();
    }
    return profiles;
}

Result<Profile> read_spo(std::string_view text, const ReadContext& context) {
    auto objects = find_profiles(text, context);
    if (!objects) return tl::unexpected(objects.error());
    if (objects->size() > 1) return choose_one(*objects, context.source);
    Decoder decoder(text, context.source);
    Profile profile = read_strictly(decoder, objects->front());
    if (decoder.failed()) return decoder.error();
    return profile;
}

Result<std::vector<ProfileText>> read_manifests_leniently(std::string_view text, const ReadContext& context) {
    auto objects = find_profiles(text, context);
    if (!objects) return tl::unexpected(objects.error());
    std::vector<ProfileText> profiles;
    for (LocatedJson& object : *objects) {
        Decoder decoder(text, context.source);
        Profile profile = read_manifest(decoder, object);
        const LocatedJson* spec = find_value(object, "spec");
        profiles.push_back(located(std::move(profile), spec != nullptr ? *spec : object, decoder, text));
    }
    return profiles;
}

}  // namespace callcensus
