#include "format/runtime_spec.hpp"

#include "format/json_decoder.hpp"

namespace callcensus {
namespace {

std::optional<Annotations> read_annotations(Decoder& decoder, Fields& fields) {
    const auto object = fields.find("annotations");
    if (!object) return std::nullopt;
    Fields values(decoder, *object);
    Annotations annotations;
    for (const LocatedMember& member : object->node->members)
        if (auto text = values.text(member.key)) annotations[member.key] = std::move(*text);
    return annotations;
}

}  // namespace

Result<ContainerState> parse_container_state(std::string_view text, const std::string& source) {
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, source);
    Fields fields(decoder, {&*root, ""});
    ContainerState state;
    state.id = fields.text("id").value_or("");
    state.pid = fields.whole<std::int32_t>("pid").value_or(0);
    state.bundle = fields.text("bundle").value_or("");
    state.annotations = read_annotations(decoder, fields);
    if (decoder.failed()) return decoder.error();
    return state;
}

Result<ContainerConfig> parse_container_config(std::string_view text, const std::string& source) {
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, source);
    Fields fields(decoder, {&*root, ""});
    ContainerConfig config;
    if (const auto process = fields.find("process")) config.command = Fields(decoder, *process).texts("args");
    config.annotations = read_annotations(decoder, fields).value_or(Annotations{});
    if (const auto on_linux = fields.find("linux"))
        config.has_filter = Fields(decoder, *on_linux).find("seccomp").has_value();
    if (decoder.failed()) return decoder.error();
    return config;
}

}  // namespace callcensus
