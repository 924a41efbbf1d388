#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {
namespace {

// Calls that a libseccomp may be too old to name. From number 424 on the kernel gives a new call the same
// number on every ABI (plus the ABI's base), so that one column serves all. Sources: the kernel's syscall
// tables up to 6.18, libseccomp's src/syscalls.csv of the releases named.
struct OverlayName {
    std::uint32_t number;
    std::string_view name;
    std::string_view since;  // the first libseccomp release that knows it
};
constexpr std::array overlay{
    OverlayName{451, "cachestat", "2.5.5"},         OverlayName{452, "fchmodat2", "2.5.5"},
    OverlayName{453, "map_shadow_stack", "2.5.5"},  OverlayName{454, "futex_wake", "2.5.5"},
    OverlayName{455, "futex_wait", "2.5.5"},        OverlayName{456, "futex_requeue", "2.5.5"},
    OverlayName{457, "statmount", "2.6.0"},         OverlayName{458, "listmount", "2.6.0"},
    OverlayName{459, "lsm_get_self_attr", "2.6.0"}, OverlayName{460, "lsm_set_self_attr", "2.6.0"},
    OverlayName{461, "lsm_list_modules", "2.6.0"},  OverlayName{462, "mseal", "2.6.0"},
    OverlayName{463, "setxattrat", "2.6.0"},        OverlayName{464, "getxattrat", "2.6.0"},
    OverlayName{465, "listxattrat", "2.6.0"},       OverlayName{466, "removexattrat", "2.6.0"},
    OverlayName{467, "open_tree_attr", "2.6.1"},    OverlayName{468, "file_getattr", "2.6.1"},
    OverlayName{469, "file_setattr", "2.6.1"},      OverlayName{470, "listns", "after 2.6.1"},
};

// The few newer calls that one ABI has for itself.
struct OverlayOfOneAbi {
    Abi abi;
    OverlayName call;
};
constexpr std::array overlay_of_one_abi{
    OverlayOfOneAbi{Abi::x86_64, {335, "uretprobe", "2.6.0"}},
    OverlayOfOneAbi{Abi::x86_64, {336, "uprobe", "2.6.1"}},
    OverlayOfOneAbi{Abi::riscv64, {258, "riscv_hwprobe", "2.6.0"}},
};

std::string name_from_libseccomp(std::uint32_t scmp_arch, std::uint32_t number) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        seccomp_syscall_resolve_num_arch(scmp_arch, static_cast<int>(number)), &std::free);
    return name ? std::string(name.get()) : std::string();
}

// A libseccomp before 2.6 does not know the LoongArch table. LoongArch uses the kernel's generic numbers, as
// aarch64 does, so the number means the same there (include/uapi/asm-generic/unistd.h).
bool uses_the_generic_table(Abi abi) { return abi == Abi::loongarch64; }

const OverlayName* find_in_overlay(Abi abi, std::uint32_t number) {
    for (const OverlayOfOneAbi& row : overlay_of_one_abi)
        if (row.abi == abi && row.call.number == number) return &row.call;
    const auto* row = std::find_if(overlay.begin(), overlay.end(), [&](const OverlayName& candidate) {
        return candidate.number + info(abi).number_base == number;
    });
    return row == overlay.end() ? nullptr : row;
}

const OverlayName* find_in_overlay(std::string_view name) {
    for (const OverlayOfOneAbi& row : overlay_of_one_abi)
        if (row.call.name == name) return &row.call;
    const auto* row = std::find_if(overlay.begin(), overlay.end(),
                                   [&](const OverlayName& candidate) { return candidate.name == name; });
    return row == overlay.end() ? nullptr : row;
}

// libseccomp answers negative numbers for calls that an ABI does not have (below -10000), and for those that
// it has through socketcall (-101 and so on) or ipc (-201 and so on), even where it has them directly as
// well.
bool is_multiplexed(int number) { return -300 < number && number <= -101; }

// All numbers with a name such as "socket", of an ABI that also has socketcall or ipc.
std::map<std::string, std::uint32_t> direct_numbers(const AbiInfo& abi) {
    constexpr std::uint32_t enough = 1000;
    std::map<std::string, std::uint32_t> numbers;
    for (std::uint32_t number = abi.number_base; number < abi.number_base + enough; ++number) {
        const std::string name = name_from_libseccomp(abi.scmp_arch, number);
        if (!name.empty() && is_multiplexed(seccomp_syscall_resolve_name_arch(abi.scmp_arch, name.c_str())))
            numbers.emplace(name, number);
    }
    return numbers;
}

std::optional<std::uint32_t> number_from_libseccomp(const AbiInfo& abi, const std::string& name) {
    const int number = seccomp_syscall_resolve_name_arch(abi.scmp_arch, name.c_str());
    if (number >= 0) return static_cast<std::uint32_t>(number);
    if (!is_multiplexed(number)) return std::nullopt;
    static const auto of_all_abis = [] {
        std::vector<std::map<std::string, std::uint32_t>> of_abi;
        for (const AbiInfo& row : all_abis()) of_abi.push_back(direct_numbers(row));
        return of_abi;
    }();
    const auto& direct = of_all_abis[static_cast<std::size_t>(abi.abi)];
    const auto found = direct.find(name);
    return found == direct.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::string syscall_name(Syscall call) {
    // libseccomp takes MIPS numbers without their base as well, which the kernel does not.
    if (static_cast<std::int32_t>(call.number) < 0 || call.number < info(call.abi).number_base) return {};
    std::string name = name_from_libseccomp(info(call.abi).scmp_arch, call.number);
    if (name.empty() && uses_the_generic_table(call.abi))
        name = name_from_libseccomp(info(Abi::aarch64).scmp_arch, call.number);
    if (name.empty())
        if (const OverlayName* row = find_in_overlay(call.abi, call.number)) name = row->name;
    return name;
}

std::string name_or_number(Syscall call) {
    std::string name = syscall_name(call);
    return name.empty() ? "number " + std::to_string(call.number) : name;
}

std::optional<std::uint32_t> syscall_number(Abi abi, std::string_view name) {
    const std::string terminated(name);
    auto number = number_from_libseccomp(info(abi), terminated);
    if (!number && uses_the_generic_table(abi))
        number = number_from_libseccomp(info(Abi::aarch64), terminated);
    if (number) return number;
    for (const OverlayOfOneAbi& row : overlay_of_one_abi)
        if (row.abi == abi && row.call.name == name) return row.call.number;
    for (const OverlayName& row : overlay)
        if (row.name == name) return row.number + info(abi).number_base;
    return std::nullopt;
}

std::optional<Multiplexed> multiplexed(Abi abi, std::string_view name) {
    const int number = seccomp_syscall_resolve_name_arch(info(abi).scmp_arch, std::string(name).c_str());
    if (!is_multiplexed(number)) return std::nullopt;
    const bool by_ipc = number <= -201;
    const std::string_view call = by_ipc ? "ipc" : "socketcall";
    // libseccomp has such a number also for what an ABI has in no way: send() on x86_64.
    if (!syscall_number(abi, call)) return std::nullopt;
    return Multiplexed{call, static_cast<std::uint32_t>(-number - (by_ipc ? 200 : 100))};
}

bool is_multiplexer(std::string_view call) { return call == "socketcall" || call == "ipc"; }

bool exists_on_any(const std::set<Abi>& abis, std::string_view name) {
    return std::any_of(abis.begin(), abis.end(),
                       [&](Abi abi) { return syscall_number(abi, name).has_value(); });
}

bool can_be_made_on_any(const std::set<Abi>& abis, std::string_view name) {
    return exists_on_any(abis, name) ||
           std::any_of(abis.begin(), abis.end(), [&](Abi abi) { return multiplexed(abi, name).has_value(); });
}

bool libseccomp_knows(std::string_view name) {
    return seccomp_syscall_resolve_name(std::string(name).c_str()) != __NR_SCMP_ERROR;
}

std::string_view libseccomp_needed_for(std::string_view name) {
    const OverlayName* row = find_in_overlay(name);
    return row == nullptr || libseccomp_knows(name) ? std::string_view() : row->since;
}

const std::set<std::string>& all_syscall_names() {
    static const std::set<std::string> names = [] {
        std::set<std::string> found;
        constexpr std::uint32_t numbers = 1000;  // twice as many as any table has
        for (const AbiInfo& abi : all_abis())
            for (std::uint32_t number = 0; number < numbers; ++number)
                found.insert(syscall_name({abi.abi, abi.number_base + number}));
        found.erase("");
        return found;
    }();
    return names;
}

std::string libseccomp_version() {
    const scmp_version* version = ::seccomp_version();
    return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
           std::to_string(version->micro);
}

}  // namespace callcensus
