/// A profile together with the text that it was read from: where its parts stand, and what is wrong with the
/// text. Made by read_leniently() (callcensus/format.hpp) and judged by lint() (callcensus/lint.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/finding.hpp"
#include "callcensus/profile.hpp"

namespace callcensus {

/// Something in the text that parse_profile() refuses (repeated keys excepted).
struct Fault {
    enum class Kind : std::uint8_t {
        missing,              ///< a value that every reader asks for
        malformed,            ///< of the wrong type or size
        byte_order_mark,      ///< at the beginning of the text
        action,               ///< unknown
        architecture,         ///< unknown
        comparison,           ///< an unknown operator
        index,                ///< of an argument, above 5
        errno_range,          ///< above the largest errno, in a text that is right otherwise
        name_and_names,       ///< in one rule
        architectures_twice,  ///< `archMap` beside `architectures`
        repeated_key,         ///< twice in one object: the last one counts
    };
    Kind kind = Kind::malformed;
    Place place;
    std::string message;  ///< begins with the path: "syscalls[3].action is an unknown action …"
};

struct ProfileText {
    /// As far as it can be understood: a misspelt action is taken for the one that it is most like, and the
    /// index of a rule here is its index in the text.
    Profile profile;
    std::vector<Fault> faults;
    /// Of every value, by its path from the root: "syscalls[3].names[0]"; "" is the whole.
    std::map<std::string, Place, std::less<>> places;

    /// Of the value or, where the text has none of that path, of what would hold it.
    [[nodiscard]] Place place_of(std::string_view path) const;
};

}  // namespace callcensus
