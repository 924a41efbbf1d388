#include "cli/call_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "abi/constants.hpp"
#include "base/nearest.hpp"
#include "base/words.hpp"
#include "record/call_signatures.hpp"
#include "record/constants.hpp"

namespace callcensus::cli {
namespace {

constexpr std::string_view unknown_argument = "_";

// Negative ones as a program would pass them (AT_FDCWD).
std::optional<std::uint64_t> read_number(const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const std::uint64_t number = std::strtoull(text.c_str(), &end, 0);
    const bool is_number = !text.empty() && std::isspace(static_cast<unsigned char>(text.front())) == 0 &&
                           *end == '\0' && errno == 0;
    return is_number ? std::optional(number) : std::nullopt;
}

// The constants that this argument of the call usually is; empty where we do not know.
std::vector<std::string_view> usual_names(Abi abi, const std::string& call, std::size_t index) {
    std::vector<std::string_view> names;
    const std::string_view* signature = find_signature(abi, call);
    if (signature == nullptr) return names;
    const std::vector<std::string_view> kinds = words_of(*signature);
    const Constants* constants = index < kinds.size() ? find_constants(abi, kinds[index]) : nullptr;
    if (constants == nullptr) return names;
    for (const auto* list : {&constants->values, &constants->flags})
        for (const Constant& each : *list) names.push_back(each.name);
    return names;
}

std::string hint(Abi abi, const std::string& call, std::size_t index, const std::string& word) {
    const std::vector<std::string_view> usual = usual_names(abi, call, index);
    std::string nearest = nearest_word(word, usual);
    if (nearest.empty()) nearest = nearest_constant(abi, word);
    if (!nearest.empty()) return "; did you mean " + nearest + "?";
    if (usual.empty()) return ": 2, 0x2, -1, a name like AF_UNIX, or _ for an argument that is not known";
    return fmt::format("; argument {} of {} is one like {}", index, call, listed(usual, 3));
}

Result<std::uint64_t> read_part(Abi abi, const std::string& call, std::size_t index,
                                const std::string& part) {
    if (const auto number = read_number(part)) return *number;
    if (const auto constant = find_constant(abi, part)) return *constant;
    // Names that are no macros of the kernel's headers.
    const std::string_view* signature = find_signature(abi, call);
    const auto kinds = signature == nullptr ? std::vector<std::string_view>() : words_of(*signature);
    if (index < kinds.size() && !part.empty())
        if (const Constants* constants = find_constants(abi, kinds[index]))
            for (const auto* list : {&constants->values, &constants->flags})
                for (const Constant& each : *list)
                    if (each.name == part) return each.value;
    return fail(
        fmt::format("is no number and no constant of {}{}", info(abi).id, hint(abi, call, index, part)),
        "\"" + part + "\"");
}

}  // namespace

Result<KnownArguments> read_arguments(Abi abi, const std::string& call,
                                      const std::vector<std::string>& words) {
    KnownArguments arguments;
    if (words.size() > arguments.size()) return fail("a call has six arguments at most");
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == unknown_argument) continue;
        std::uint64_t value = 0;
        for (std::size_t begin = 0; begin <= words[i].size();) {
            const std::size_t end = std::min(words[i].find('|', begin), words[i].size());
            const auto part = read_part(abi, call, i, words[i].substr(begin, end - begin));
            if (!part) return tl::unexpected(part.error());
            value |= *part;
            begin = end + 1;
        }
        arguments.at(i) = value;
    }
    return arguments;
}

}  // namespace callcensus::cli
