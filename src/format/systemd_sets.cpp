#include "format/systemd_sets.hpp"

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "base/words.hpp"

namespace callcensus {
namespace {

struct SystemdSet {
    std::string_view name;
    std::string_view members;
};

constexpr std::array sets{
#include "format/systemd_sets.inc"
};

// In the order of Abi.
constexpr std::array<std::string_view, 17> architectures{
    "x86-64", "x86",         "x32",  "arm64",   "arm",    "riscv64",   "ppc64",      "ppc64-le",     "s390",
    "s390x",  "loongarch64", "mips", "mips-le", "mips64", "mips64-le", "mips64-n32", "mips64-le-n32"};

}  // namespace

std::optional<std::vector<std::string_view>> find_systemd_set(std::string_view name) {
    const auto* set =
        std::find_if(sets.begin(), sets.end(), [&](const SystemdSet& row) { return row.name == name; });
    if (set == sets.end()) return std::nullopt;
    std::vector<std::string_view> calls;
    for (const std::string_view member : words_of(set->members)) {
        if (member.front() != '@') {
            calls.push_back(member);
        } else if (const auto inner = find_systemd_set(member)) {
            calls.insert(calls.end(), inner->begin(), inner->end());
        }
    }
    return calls;
}

std::string nearest_systemd_set(std::string_view name) {
    std::vector<std::string_view> names;
    for (const SystemdSet& set : sets) names.push_back(set.name);
    return nearest_word(name, names);
}

std::string_view systemd_name(Abi abi) { return architectures.at(static_cast<std::size_t>(abi)); }

const AbiInfo* find_abi_of_systemd(std::string_view name) {
    const auto* found = std::find(architectures.begin(), architectures.end(), name);
    return found == architectures.end()
               ? nullptr
               : &all_abis()[static_cast<std::size_t>(found - architectures.begin())];
}

}  // namespace callcensus
