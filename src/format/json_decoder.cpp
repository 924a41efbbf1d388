#include "format/json_decoder.hpp"

#include <algorithm>

namespace callcensus {

using Type = nlohmann::json::value_t;

void Decoder::complain(const LocatedJson& at, const std::string& what, Fault::Kind kind) {
    if (complaints_.size() < 1000) complaints_.push_back({kind, at.offset, what});
}

tl::unexpected<Error> Decoder::error() const {
    const Complaint& first = complaints_.front();
    return fail(first.what, place(text_, source_, first.offset));
}

Fields::Fields(Decoder& decoder, const Placed& object) : decoder_(decoder), object_(object) {
    if (object.node->type != Type::object)
        decoder_.complain(*object.node,
                          (object.path.empty() ? "the file" : object.path) + " must be an object");
}

std::optional<Placed> Fields::find(std::string_view key) {
    asked_.push_back(key);
    const auto& members = object_.node->members;
    const auto found = std::find_if(members.rbegin(), members.rend(),
                                    [&](const LocatedMember& member) { return member.key == key; });
    if (found == members.rend() || found->value.is_null()) return std::nullopt;
    return Placed{&found->value, object_.path + (object_.path.empty() ? "" : ".") + std::string(key)};
}

std::optional<std::string> Fields::text(std::string_view key) {
    const auto field = find(key);
    if (!field) return std::nullopt;
    if (field->node->type != Type::string) {
        complain(*field, "must be a string");
        return std::nullopt;
    }
    return field->node->scalar.get<std::string>();
}

std::optional<bool> Fields::boolean(std::string_view key) {
    const auto field = find(key);
    if (!field) return std::nullopt;
    if (field->node->type != Type::boolean) {
        complain(*field, "must be true or false");
        return std::nullopt;
    }
    return field->node->scalar.get<bool>();
}

std::optional<double> Fields::real(std::string_view key) {
    const auto field = find(key);
    if (!field) return std::nullopt;
    if (!field->node->scalar.is_number()) {
        complain(*field, "must be a number");
        return std::nullopt;
    }
    return field->node->scalar.get<double>();
}

// Negative numbers come back as themselves, others as 0 with their value in `value`.
std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::uint64_t most,
                                            std::uint64_t& value) {
    const auto field = find(key);
    if (!field) return std::nullopt;
    if (field->node->type == Type::number_unsigned) {
        value = field->node->scalar.get<std::uint64_t>();
        if (value <= most) return 0;
    } else if (field->node->type == Type::number_integer) {
        const auto negative = field->node->scalar.get<std::int64_t>();
        if (negative < 0 && negative >= least) return negative;
    }
    complain(*field, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::vector<Placed> Fields::list(std::string_view key) {
    std::vector<Placed> elements;
    const auto field = find(key);
    if (!field) return elements;
    if (field->node->type != Type::array) {
        complain(*field, "must be a list");
        return elements;
    }
    for (std::size_t i = 0; i < field->node->elements.size(); ++i)
        elements.push_back({&field->node->elements[i], field->path + "[" + std::to_string(i) + "]"});
    return elements;
}

std::vector<std::string> Fields::texts(std::string_view key) {
    std::vector<std::string> found;
    for (const Placed& element : list(key)) {
        const bool is_text = element.node->type == Type::string;
        if (!is_text) complain(element, "must be a string");
        found.push_back(is_text ? element.node->scalar.get<std::string>() : std::string());
    }
    return found;
}

Placed Fields::required(std::string_view key) {
    if (auto field = find(key)) return *field;
    if (object_.node->type != Type::object) return object_;  // complained of already
    decoder_.complain(
        *object_.node,
        (object_.path.empty() ? "the file" : object_.path) + " lacks \"" + std::string(key) + "\"",
        Fault::Kind::missing);
    return object_;
}

std::string Fields::required_text(std::string_view key) {
    static_cast<void>(required(key));
    return text(key).value_or("");
}

UnknownMembers Fields::unknown() const {
    UnknownMembers rest;
    for (const auto& [key, value] : object_.node->members)
        if (std::find(asked_.begin(), asked_.end(), key) == asked_.end())
            rest.emplace_back(key, value.plain().dump());
    return rest;
}

}  // namespace callcensus
