// JSON as text, for a program that reads it, and for a terminal that it may come to.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/printable.hpp"

namespace callcensus {

/// Reads back as the same value, save that a string's bytes that are no UTF-8 become U+FFFD: JSON has no
/// others. `indent`: blanks a level; -1: all on one line. Without a newline at its end.
template <class Json>
[[nodiscard]] std::string json_text(const Json& value, int indent = -1) {
    return escaped_in_quotes(value.dump(indent, ' ', false, Json::error_handler_t::replace));
}

}  // namespace callcensus
