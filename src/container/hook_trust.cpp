#include "container/hook_trust.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::filesystem::path;

struct TrustWord {
    std::string_view text;
    Trust trust;
};
constexpr std::array trust_words{TrustWord{"nobody", Trust::nobody}, TrustWord{"caller", Trust::caller},
                                 TrustWord{"annotations", Trust::annotations},
                                 TrustWord{"everybody", Trust::everybody}};

// Set by CRI-O and by podman (play kube), and by containerd, for containers of a pod. Whoever may create a
// pod has written its annotations.
constexpr std::array<std::string_view, 4> of_pods{
    "io.kubernetes.cri-o.SandboxID", "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri.sandbox-id",
    "io.kubernetes.cri.container-type"};

bool is_of_pod(const Annotations& annotations) {
    return std::any_of(of_pods.begin(), of_pods.end(),
                       [&](std::string_view name) { return annotations.count(std::string(name)) != 0; });
}

// What the caller says of the same name overrules the image.
bool says_what_the_image_says(const Annotations& annotations, const Annotations& of_image) {
    const std::array ours{trace_annotation, options_annotation};
    return std::any_of(ours.begin(), ours.end(), [&](std::string_view name) {
        const auto said = annotations.find(std::string(name));
        const auto by_image = of_image.find(std::string(name));
        return said != annotations.end() && by_image != of_image.end() && said->second == by_image->second;
    });
}

Json read_json(const Path& path) {
    constexpr std::size_t largest = std::size_t{64} << 20;
    const auto text = read_file(path.string(), largest);
    return text ? Json::parse(*text, nullptr, false) : Json();
}

std::string text_in(const Json& object, const char* key) {
    const bool there = object.is_object() && object.contains(key) && object[key].is_string();
    return there ? object[key].get<std::string>() : "";
}

// The image's number; "" for a container that has none (--rootfs), and empty where the container is not
// there.
std::optional<std::string> image_of(const Path& containers, const std::string& id) {
    for (const char* const list : {"containers.json", "volatile-containers.json"})
        for (const Json& container : read_json(containers / list))
            if (text_in(container, "id") == id) return text_in(container, "image");
    return std::nullopt;
}

}  // namespace

Result<Trust> read_trust(std::string_view word) {
    std::string list;
    for (const TrustWord& known : trust_words) {
        if (known.text == word) return known.trust;
        list += (list.empty() ? "" : ", ") + std::string(known.text);
    }
    return fail("is one of " + list + ", not \"" + std::string(word) + "\"");
}

Asker asker_of(Trust trust, const Annotations& annotations, const Origin& origin) {
    if (trust == Trust::nobody || (origin.from_environment && trust != Trust::everybody))
        return Asker::stranger;
    if (trust != Trust::caller) return Asker::owner;
    const bool by_caller = !is_of_pod(annotations) && origin.of_image &&
                           !says_what_the_image_says(annotations, *origin.of_image);
    return by_caller ? Asker::owner : Asker::stranger;
}

Limits limits_of(const Registration& registration, const Annotations& annotations, const std::string& bundle,
                 bool from_environment) {
    return {asker_of(registration.trust, annotations, {from_environment, annotations_of_image(bundle)}),
            registration.directory};
}

std::optional<Annotations> annotations_of_image(const std::string& bundle) {
    constexpr std::string_view suffix = "-containers";
    const Path path = Path(bundle).lexically_normal();
    const Path container = path.parent_path(), containers = container.parent_path();
    const std::string kind = containers.filename().string();
    if (path.filename() != "userdata" || kind.size() <= suffix.size() ||
        kind.substr(kind.size() - suffix.size()) != suffix)
        return Annotations{};
    const auto image = image_of(containers, container.filename().string());
    if (!image) return std::nullopt;
    if (image->empty()) return Annotations{};
    const std::string driver = kind.substr(0, kind.size() - suffix.size());
    const Json manifest = read_json(containers.parent_path() / (driver + "-images") / *image / "manifest");
    if (!manifest.is_object()) return std::nullopt;
    Annotations annotations;
    if (manifest.contains("annotations") && manifest["annotations"].is_object())
        for (const auto& [name, value] : manifest["annotations"].items())
            if (value.is_string()) annotations[name] = value.get<std::string>();
    return annotations;
}

}  // namespace callcensus
