#include "format/located_yaml.hpp"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

namespace callcensus {
namespace {

using nlohmann::json;

class Parser {
  public:
    explicit Parser(std::string_view text) {
        if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
    }
    ~Parser() { yaml_parser_delete(&parser_); }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    yaml_parser_t* get() { return &parser_; }

  private:
    yaml_parser_t parser_{};
};

struct Event {
    yaml_event_t value{};
    Event() = default;
    ~Event() { yaml_event_delete(&value); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
};

// libyaml counts characters; we count bytes. Its marks hardly ever go backwards.
class Offsets {
  public:
    explicit Offsets(std::string_view text) : text_(text) {}

    std::size_t of(std::size_t character) {
        if (character < character_) {
            character_ = 0;
            byte_ = 0;
        }
        for (; character_ < character && byte_ < text_.size(); ++character_) {
            ++byte_;
            while (byte_ < text_.size() && (static_cast<unsigned char>(text_[byte_]) & 0xc0) == 0x80) ++byte_;
        }
        return byte_;
    }

  private:
    std::string_view text_;
    std::size_t byte_ = 0;
    std::size_t character_ = 0;
};

template <class Number>
std::optional<Number> whole(std::string_view digits, int base) {
    Number number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

// What a plain scalar is, by YAML's core schema; and a leading 0 makes an octal number, as it does for the
// libraries of Kubernetes.
void resolve_plain(LocatedJson& node, const std::string& text) {
    constexpr std::array<std::string_view, 5> nothing{"", "~", "null", "Null", "NULL"};
    constexpr std::array<std::string_view, 3> yes{"true", "True", "TRUE"};
    constexpr std::array<std::string_view, 3> no{"false", "False", "FALSE"};
    const auto is_in = [&](const auto& words) {
        return std::find(words.begin(), words.end(), text) != words.end();
    };
    const auto set = [&](json::value_t type, nlohmann::ordered_json value) {
        node.type = type;
        node.scalar = std::move(value);
    };
    const std::string_view view = text;
    if (is_in(nothing)) return set(json::value_t::null, nullptr);
    if (is_in(yes) || is_in(no)) return set(json::value_t::boolean, is_in(yes));
    const std::string_view unsigned_part = view.substr(view.front() == '+' ? 1 : 0);
    const int base = unsigned_part.substr(0, 2) == "0x"                         ? 16
                     : unsigned_part.substr(0, 2) == "0o"                       ? 8
                     : unsigned_part.size() > 1 && unsigned_part.front() == '0' ? 8
                                                                                : 10;
    const std::size_t prefix = base == 16 || unsigned_part.substr(0, 2) == "0o" ? 2 : 0;
    if (const auto number = whole<std::uint64_t>(unsigned_part.substr(prefix), base))
        return set(json::value_t::number_unsigned, *number);
    if (const auto number = whole<std::int64_t>(view, 10); number && view.front() == '-')
        return set(json::value_t::number_integer, *number);
    double real = 0;
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), real);
    if (error == std::errc() && end == view.data() + view.size() &&
        view.find_first_of("0123456789") != std::string_view::npos)
        return set(json::value_t::number_float, real);
    set(json::value_t::string, text);
}

// Containers under construction lie on a stack of values, as in the reader of JSON.
class YamlTreeBuilder {
  public:
    YamlTreeBuilder(std::string_view text, const std::string& source)
        : text_(text), source_(source), offsets_(text), parser_(text) {}

    Result<std::vector<LocatedJson>> build() {
        while (!ended_) {
            Event event;
            if (yaml_parser_parse(parser_.get(), &event.value) == 0) return syntax_error();
            if (auto taken = take(event.value); !taken) return tl::unexpected(taken.error());
        }
        return std::move(documents_);
    }

  private:
    struct Open {
        LocatedJson value;
        std::optional<std::string> key;
    };

    tl::unexpected<Error> error_at(std::size_t character, const std::string& what) {
        return fail(what, place(text_, source_, std::min(offsets_.of(character), text_.size())));
    }

    tl::unexpected<Error> syntax_error() {
        const yaml_parser_t& parser = *parser_.get();
        if (parser.error == YAML_READER_ERROR)
            return fail(std::string("is not YAML: ") + parser.problem,
                        place(text_, source_, std::min(parser.problem_offset, text_.size())));
        return error_at(parser.problem_mark.index,
                        std::string("is not YAML: ") + (parser.problem != nullptr ? parser.problem : "?"));
    }

    Result<void> take(const yaml_event_t& event) {
        const std::size_t at = event.start_mark.index;
        switch (event.type) {
            case YAML_ALIAS_EVENT:
                return error_at(at, "has an alias (*name), which is not read: write the value out");
            case YAML_SCALAR_EVENT:
                return scalar(event);
            case YAML_SEQUENCE_START_EVENT:
                if (auto plain =
                        check_plain(at, event.data.sequence_start.anchor, event.data.sequence_start.tag);
                    !plain)
                    return plain;
                return open(json::value_t::array, at);
            case YAML_MAPPING_START_EVENT:
                if (auto plain =
                        check_plain(at, event.data.mapping_start.anchor, event.data.mapping_start.tag);
                    !plain)
                    return plain;
                return open(json::value_t::object, at);
            case YAML_SEQUENCE_END_EVENT:
            case YAML_MAPPING_END_EVENT: {
                LocatedJson done = std::move(open_.back().value);
                open_.pop_back();
                return put(std::move(done), at);
            }
            case YAML_STREAM_END_EVENT:
                ended_ = true;
                if (documents_.empty()) return fail("is empty", source_);
                return {};
            default:
                return {};
        }
    }

    Result<void> check_plain(std::size_t at, const yaml_char_t* anchor, const yaml_char_t* tag) {
        if (anchor != nullptr) return error_at(at, "has an anchor (&name), which is not read");
        if (tag != nullptr) return error_at(at, "has a tag (!type), which is not read");
        return {};
    }

    Result<void> scalar(const yaml_event_t& event) {
        const auto& data = event.data.scalar;
        const std::size_t at = event.start_mark.index;
        if (auto plain = check_plain(at, data.anchor, data.tag); !plain) return plain;
        std::string text(reinterpret_cast<const char*>(data.value), data.length);
        if (!open_.empty() && open_.back().value.type == json::value_t::object && !open_.back().key) {
            open_.back().key = std::move(text);
            return {};
        }
        LocatedJson node;
        node.offset = offsets_.of(at);
        if (data.style == YAML_PLAIN_SCALAR_STYLE) {
            resolve_plain(node, text);
        } else {
            node.type = json::value_t::string;
            node.scalar = std::move(text);
        }
        return put(std::move(node), at);
    }

    Result<void> open(json::value_t type, std::size_t at) {
        if (open_.size() >= deepest_nesting) return error_at(at, "is nested more than a hundred levels deep");
        if (!open_.empty() && open_.back().value.type == json::value_t::object && !open_.back().key)
            return error_at(at, "has a list or map as a key");
        open_.emplace_back();
        open_.back().value.type = type;
        open_.back().value.offset = offsets_.of(at);
        return {};
    }

    Result<void> put(LocatedJson node, std::size_t at) {
        if (++values_ > max_values) return error_at(at, "holds more than four million values");
        if (open_.empty()) {
            documents_.push_back(std::move(node));
        } else if (open_.back().value.type == json::value_t::array) {
            open_.back().value.elements.push_back(std::move(node));
        } else {
            open_.back().value.members.push_back({std::move(*open_.back().key), std::move(node)});
            open_.back().key.reset();
        }
        return {};
    }

    std::string_view text_;
    const std::string& source_;
    Offsets offsets_;
    Parser parser_;
    std::vector<Open> open_;
    std::vector<LocatedJson> documents_;
    std::size_t values_ = 0;
    bool ended_ = false;
};

}  // namespace

Result<std::vector<LocatedJson>> parse_located_yaml(std::string_view text, const std::string& source) {
    return YamlTreeBuilder(text, source).build();
}

}  // namespace callcensus
