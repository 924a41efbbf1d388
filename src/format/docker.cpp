// The format of Docker's own profiles: OCI's with archMap in place of architectures and conditions on rules.
#include <algorithm>
#include <array>

#include "base/errno_names.hpp"
#include "format/formats.hpp"

namespace callcensus {
namespace {

struct Family {
    std::string_view architecture;
    std::array<std::string_view, 2> sub_architectures;  // the second may be empty
};

// As in Docker's published profile (moby, profiles/seccomp/default.json).
constexpr std::array<Family, 7> families{{
    {"SCMP_ARCH_X86_64", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
    {"SCMP_ARCH_AARCH64", {"SCMP_ARCH_ARM", ""}},
    {"SCMP_ARCH_MIPS64", {"SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32"}},
    {"SCMP_ARCH_MIPS64N32", {"SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64"}},
    {"SCMP_ARCH_MIPSEL64", {"SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"}},
    {"SCMP_ARCH_MIPSEL64N32", {"SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64"}},
    {"SCMP_ARCH_S390X", {"SCMP_ARCH_S390", ""}},
}};

// A family is read where its first architecture is the machine's, which needs no mention to be allowed: one
// of which only another member is listed means the same.
std::vector<ArchitectureFamily> group(const std::vector<std::string>& architectures) {
    const auto contains = [](const auto& list, std::string_view token) {
        return std::find(list.begin(), list.end(), token) != list.end();
    };
    std::vector<ArchitectureFamily> grouped;
    std::vector<std::string> placed;
    const auto place = [&](const Family& family) {
        ArchitectureFamily& entry = grouped.emplace_back();
        entry.architecture = family.architecture;
        placed.push_back(entry.architecture);
        for (const std::string_view sub : family.sub_architectures)
            if (contains(architectures, sub)) {
                entry.sub_architectures.emplace_back(sub);
                placed.emplace_back(sub);
            }
    };
    for (const Family& family : families)
        if (contains(architectures, family.architecture)) place(family);
    for (const Family& family : families)
        for (const std::string_view sub : family.sub_architectures)
            if (contains(architectures, sub) && !contains(placed, sub)) place(family);
    for (const std::string& architecture : architectures)
        if (!contains(placed, architecture)) {
            grouped.push_back({architecture, {}});
            placed.push_back(architecture);
        }
    return grouped;
}

// Podman lets the name override the number; Docker knows numbers only.
void use_number(std::optional<std::uint32_t>& number, std::string& name) {
    if (const auto known = errno_from_name(name)) number = static_cast<std::uint32_t>(*known);
    name.clear();
}

}  // namespace

Result<Written> write_docker(const Profile& profile, const WriteContext&) {
    Profile docker = profile;
    if (docker.arch_map.empty()) docker.arch_map = group(docker.architectures);
    docker.architectures.clear();
    use_number(docker.default_errno_ret, docker.default_errno_name);
    for (Rule& rule : docker.rules) use_number(rule.errno_ret, rule.errno_name);
    return Written{write_profile(docker), {}};
}

}  // namespace callcensus
