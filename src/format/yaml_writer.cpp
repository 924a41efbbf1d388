#include "format/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <new>

#include "base/printable.hpp"

namespace callcensus {
namespace {

int append(void* content, unsigned char* text, std::size_t size) {
    static_cast<std::string*>(content)->append(reinterpret_cast<const char*>(text), size);
    return 1;
}

// What some reader of YAML 1.1 takes for a boolean or for nothing.
constexpr std::array<std::string_view, 9> words{"true", "false", "yes", "no", "on", "off", "null", "y", "n"};

bool is_plainly_text(std::string_view value) {
    if (value.empty() || std::isalpha(static_cast<unsigned char>(value.front())) == 0) return false;
    const bool harmless = std::all_of(value.begin(), value.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '/' || c == '-';
    });
    std::string lower(value);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return harmless && std::find(words.begin(), words.end(), lower) == words.end();
}

}  // namespace

YamlWriter::YamlWriter() {
    if (yaml_emitter_initialize(&emitter_) == 0) throw std::bad_alloc();
    yaml_emitter_set_output(&emitter_, append, &content_);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
    yaml_event_t event;
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(event);
    yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    emit(event);
}

YamlWriter::~YamlWriter() { yaml_emitter_delete(&emitter_); }

// The emitter refuses nothing that a balanced sequence of calls can hold: it can only lack memory.
void YamlWriter::emit(yaml_event_t& event) {
    if (yaml_emitter_emit(&emitter_, &event) == 0) throw std::bad_alloc();
}

YamlWriter& YamlWriter::begin_map() {
    yaml_event_t event;
    yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(event);
    return *this;
}

YamlWriter& YamlWriter::end_map() {
    yaml_event_t event;
    yaml_mapping_end_event_initialize(&event);
    emit(event);
    return *this;
}

YamlWriter& YamlWriter::begin_list() {
    yaml_event_t event;
    yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_SEQUENCE_STYLE);
    emit(event);
    return *this;
}

YamlWriter& YamlWriter::end_list() {
    yaml_event_t event;
    yaml_sequence_end_event_initialize(&event);
    emit(event);
    return *this;
}

YamlWriter& YamlWriter::text(std::string_view value) {
    scalar(value, is_plainly_text(value) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    return *this;
}

YamlWriter& YamlWriter::number(std::uint64_t value) {
    scalar(std::to_string(value), YAML_PLAIN_SCALAR_STYLE);
    return *this;
}

void YamlWriter::scalar(std::string_view value, yaml_scalar_style_t style) {
    yaml_event_t event;
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    // libyaml takes a pointer to non-const and reads only.
    if (yaml_scalar_event_initialize(&event, nullptr, nullptr, const_cast<unsigned char*>(bytes),
                                     static_cast<int>(value.size()), 1, 1, style) == 0)
        return scalar("?", style);  // not UTF-8
    emit(event);
}

std::string YamlWriter::content() && {
    yaml_event_t event;
    yaml_document_end_event_initialize(&event, 1);
    emit(event);
    yaml_stream_end_event_initialize(&event);
    emit(event);
    return escaped_in_quotes(content_);
}

}  // namespace callcensus
