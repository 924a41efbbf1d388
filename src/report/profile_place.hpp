// Where a part of a profile stands in its file, in reports.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "callcensus/profile_text.hpp"

namespace callcensus {

/// "syscalls[3]"
[[nodiscard]] inline std::string path_of_rule(std::size_t index) {
    return fmt::format("syscalls[{}]", index);
}

/// The whole text where the format has no places (`text` is null).
[[nodiscard]] inline Place place_in(const ProfileText* text, const std::string& path) {
    return text != nullptr ? text->place_of(path) : Place{};
}

/// "p.json:12:5: syscalls[3]", as far as the format has places.
[[nodiscard]] inline std::string where(const std::string& file, const ProfileText* text,
                                       const std::string& path) {
    const Place place = place_in(text, path);
    return place.line == 0 ? fmt::format("{}: {}", file, path)
                           : fmt::format("{}:{}:{}: {}", file, place.line, place.column, path);
}

[[nodiscard]] inline nlohmann::ordered_json place_json(const ProfileText* text, const std::string& path) {
    nlohmann::ordered_json object{{"path", path}};
    if (const Place place = place_in(text, path); place.line != 0) {
        object["line"] = place.line;
        object["column"] = place.column;
    }
    return object;
}

}  // namespace callcensus
