#include "callcensus/machine.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace callcensus {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

bool in_row(const std::vector<std::string>& names, const Machine& machine) {
    return std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return machine.caps.count(name) != 0; });
}

}  // namespace

std::optional<KernelVersion> read_kernel_version(std::string_view text) {
    KernelVersion version;
    const char* end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, version.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
    if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
    return version;
}

Machine this_machine() {
    Machine machine{std::string(info(native_abi()).go_name), docker_default_capabilities(), {}};
    utsname system{};
    ::uname(&system);
    const std::string release = system.release;
    const auto end = release.find_first_not_of("0123456789.");
    const std::string numbers = release.substr(0, end);
    machine.kernel = read_kernel_version(numbers.substr(0, numbers.find('.', numbers.find('.') + 1)))
                         .value_or(KernelVersion{});
    return machine;
}

// moby, oci/caps/defaults.go; Podman gives fewer (no AUDIT_WRITE, MKNOD, NET_RAW).
const std::set<std::string>& docker_default_capabilities() {
    static const std::set<std::string> names{
        "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
        "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
        "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
    return names;
}

const AbiInfo* find_machine_abi(std::string_view name) {
    for (const AbiInfo& row : all_abis())
        if (!row.go_name.empty() && (row.go_name == name || row.id == name)) return &row;
    return nullptr;
}

Result<Abi> native_abi_of(const Machine& machine) {
    if (const AbiInfo* row = find_machine_abi(machine.arch)) return row->abi;
    return fail("\"" + machine.arch + "\" is no architecture that callcensus knows");
}

bool applies(const Rule& rule, const Machine& machine) {
    const Context& with = rule.includes;
    const Context& without = rule.excludes;
    if (!with.arches.empty() && !contains(with.arches, machine.arch)) return false;
    if (contains(without.arches, machine.arch)) return false;
    if (!in_row(with.caps, machine)) return false;
    if (std::any_of(without.caps.begin(), without.caps.end(),
                    [&](const std::string& cap) { return machine.caps.count(cap) != 0; }))
        return false;
    if (const auto least = read_kernel_version(with.min_kernel); least && machine.kernel < *least)
        return false;
    if (const auto from = read_kernel_version(without.min_kernel); from && machine.kernel >= *from)
        return false;
    return true;
}

Profile resolve(const Profile& profile, const Machine& machine) {
    Profile resolved = profile;
    const AbiInfo* native = find_machine_abi(machine.arch);
    for (const ArchitectureFamily& family : profile.arch_map) {
        if (native == nullptr || family.architecture != native->token) continue;
        resolved.architectures.push_back(family.architecture);
        resolved.architectures.insert(resolved.architectures.end(), family.sub_architectures.begin(),
                                      family.sub_architectures.end());
    }
    resolved.arch_map.clear();
    resolved.rules.clear();
    for (const Rule& rule : profile.rules) {
        if (!applies(rule, machine)) continue;
        Rule& kept = resolved.rules.emplace_back(rule);
        if (!kept.name.empty()) kept.names.push_back(std::exchange(kept.name, {}));
        kept.includes = {};
        kept.excludes = {};
    }
    use_errno_numbers(resolved);
    return resolved;
}

}  // namespace callcensus
