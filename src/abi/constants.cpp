#include "abi/constants.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "base/nearest.hpp"

namespace callcensus {
namespace {

// Longer than every compiler has to take; those that we build with do.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
constexpr char text_of_table[] =
#include "abi/constants.inc"
    ;
#pragma GCC diagnostic pop

// The column of the table that has an ABI's values.
std::string_view column_of(Abi abi) {
    switch (abi) {
        case Abi::loongarch64:
            return info(Abi::riscv64).id;
        case Abi::ppc64:
            return info(Abi::ppc64le).id;
        case Abi::s390:
            return info(Abi::s390x).id;
        case Abi::mipsel:
            return info(Abi::mips).id;
        case Abi::mipsel64:
            return info(Abi::mips64).id;
        case Abi::mipsel64n32:
            return info(Abi::mips64n32).id;
        default:
            return info(abi).id;
    }
}

std::optional<std::uint64_t> number(std::string_view text) {
    const int base = text.substr(0, 2) == "0x" ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string_view take_word(std::string_view& line) {
    const auto end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
}

using Values = std::unordered_map<std::string_view, std::uint64_t>;

// Of one column; the value on x86_64 counts where a line does not name it.
Values read_column(std::string_view column) {
    Values values;
    for (std::string_view rest(text_of_table, sizeof text_of_table - 1); !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::string_view name = take_word(line);
        if (name.empty()) continue;
        std::string_view text = take_word(line);
        while (!line.empty()) {
            const std::string_view other = take_word(line);
            const auto sign = other.find('=');
            if (other.substr(0, sign) == column) text = other.substr(sign + 1);
        }
        if (const auto value = number(text)) values.emplace(name, *value);
    }
    return values;
}

const Values& values_of(Abi abi) {
    static std::array<Values, 32> columns;
    const std::string_view column = column_of(abi);
    Values& values = columns.at(static_cast<std::size_t>(find_abi(column)->abi));
    if (values.empty()) values = read_column(column);
    return values;
}

}  // namespace

std::optional<std::uint64_t> find_constant(Abi abi, std::string_view name) {
    const Values& values = values_of(abi);
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::string nearest_constant(Abi abi, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& [other, value] : values_of(abi)) names.push_back(other);
    std::sort(names.begin(), names.end());  // the first of several that are equally near
    return nearest_word(name, names);
}

}  // namespace callcensus
