// JSON text as values that know where they stand. nlohmann's own values carry no positions, and a person who
// has to mend a profile of two thousand lines needs the line. Objects keep the order of their members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/finding.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

struct LocatedMember;

struct LocatedJson {
    nlohmann::json::value_t type = nlohmann::json::value_t::null;
    std::size_t offset = 0;         // of its first character in the text
    nlohmann::ordered_json scalar;  // where it is neither array nor object
    std::vector<LocatedJson> elements;
    std::vector<LocatedMember> members;

    [[nodiscard]] bool is_null() const { return type == nlohmann::json::value_t::null; }
    /// Back to a plain value, for what is to be kept without being understood.
    [[nodiscard]] nlohmann::ordered_json plain() const;
};

struct LocatedMember {
    std::string key;
    LocatedJson value;
};

/// No file of ours is nested deeper or has more values. Two bytes of text can be a value of some hundred
/// bytes: without a limit a file of 100 MB would take gigabytes. A recording of 100,000 processes has about a
/// million values.
constexpr std::size_t deepest_nesting = 100;
constexpr std::size_t max_values = 4'000'000;

/// Parses a whole text, within these limits.
[[nodiscard]] Result<LocatedJson> parse_located(std::string_view text, const std::string& source);

/// Lines and columns of offsets in a text, after one pass over it.
class LineIndex {
  public:
    explicit LineIndex(std::string_view text);
    [[nodiscard]] Place operator[](std::size_t offset) const;

  private:
    std::vector<std::size_t> begins_;  // of each line
};

/// `source:line:column` of an offset.
[[nodiscard]] std::string place(std::string_view text, const std::string& source, std::size_t offset);

}  // namespace callcensus
