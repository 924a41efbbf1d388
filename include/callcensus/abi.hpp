/// The system call ABIs, one table row each, and the names of their calls.
///
/// A call is identified by ABI *and* number: a 64-bit x86 process reaches the i386 table through `int 0x80`
/// and, where the kernel has it, the x32 table through bit 30 of the number. The ABI therefore belongs to the
/// call and never to the process.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace callcensus {

/// Declared in the order of the table in src/abi/abi.cpp, which is also the order in which profiles list
/// them.
enum class Abi : std::uint8_t {
    x86_64,
    i386,
    x32,
    aarch64,
    arm,
    riscv64,
    ppc64,
    ppc64le,
    s390,
    s390x,
    loongarch64,
    mips,
    mipsel,
    mips64,
    mipsel64,
    mips64n32,
    mipsel64n32,
};

/// One row of the table.
struct AbiInfo {
    Abi abi;
    std::string_view id;       ///< our name, as in recordings: "x86_64"
    std::string_view token;    ///< as in OCI profiles: "SCMP_ARCH_X86_64" (runtime-spec, config-linux.md)
    std::uint32_t scmp_arch;   ///< libseccomp's token: AUDIT_ARCH_*, save for x32 (seccomp.h)
    std::uint32_t audit_arch;  ///< what the kernel reports in seccomp_data.arch (linux/audit.h)
    std::uint32_t
        number_base;    ///< added to each number of the table: bit 30 for x32; 4000, 5000, 6000 for MIPS
    std::uint8_t bits;  ///< of an argument: 32 also for x32 and MIPS n32
    std::string_view go_name;  ///< of a machine whose native ABI it is, as Docker says it: "amd64"; or empty
    Abi native;                ///< of the machines on which processes use it: x86_64 for i386
};

/// A system call as the kernel sees it.
struct Syscall {
    Abi abi;
    std::uint32_t number;  ///< seccomp_data.nr, with bit 30 for x32; 4294967295 is a call with number -1

    friend auto operator<=>(const Syscall&, const Syscall&) = default;
};

[[nodiscard]] std::span<const AbiInfo> all_abis();
[[nodiscard]] const AbiInfo& info(Abi abi);
[[nodiscard]] const AbiInfo* find_abi(std::string_view id);
[[nodiscard]] const AbiInfo* find_abi_by_token(std::string_view token);
/// The ABI of 64-bit (or only) programs on the machine that this library was compiled for.
[[nodiscard]] Abi native_abi();

/// The call behind an architecture and a number as reported by PTRACE_GET_SYSCALL_INFO (ptrace(2)). Only the
/// low 32 bits of `number` count, as in the kernel. Empty for an architecture that has no row.
[[nodiscard]] std::optional<Syscall> identify(std::uint32_t audit_arch, std::uint64_t number);

/// The name that libseccomp gives the call or, for calls newer than the libseccomp in use, our overlay table;
/// empty where neither knows it.
[[nodiscard]] std::string syscall_name(Syscall call);
/// For people, and where every call needs some name: "number 999" where it has none.
[[nodiscard]] std::string name_or_number(Syscall call);

/// The number of a named call on an ABI; empty where the ABI has no such call.
[[nodiscard]] std::optional<std::uint32_t> syscall_number(Abi abi, std::string_view name);

/// A call that an ABI also makes through another one, which tells by its first argument what is meant:
/// socket() on i386 is `socketcall` with 1, and since Linux 4.3 a call of its own as well (ipc(2),
/// socketcall(2)).
struct Multiplexed {
    std::string_view call;  ///< "socketcall" or "ipc"
    std::uint32_t selector;
};
/// As libseccomp has it: a rule for `name` then counts for `call` with that first argument, too.
[[nodiscard]] std::optional<Multiplexed> multiplexed(Abi abi, std::string_view name);

[[nodiscard]] bool is_multiplexer(std::string_view call);

/// Whether any of the ABIs has a call of that name.
[[nodiscard]] bool exists_on_any(const std::set<Abi>& abis, std::string_view name);
/// The same, or makes it through a multiplexer.
[[nodiscard]] bool can_be_made_on_any(const std::set<Abi>& abis, std::string_view name);

/// Whether the libseccomp in use knows the name, on any ABI.
[[nodiscard]] bool libseccomp_knows(std::string_view name);

/// The first libseccomp release that knows `name`, where the one in use does not: such a name in a profile
/// has no effect in a runtime with an older library. Empty where the library in use knows it (on any ABI).
[[nodiscard]] std::string_view libseccomp_needed_for(std::string_view name);

/// The names of all calls of all ABIs.
[[nodiscard]] const std::set<std::string>& all_syscall_names();

/// The libseccomp in use: "2.5.4".
[[nodiscard]] std::string libseccomp_version();

}  // namespace callcensus

template <>
struct std::hash<callcensus::Syscall> {
    std::size_t operator()(const callcensus::Syscall& call) const noexcept {
        return std::hash<std::uint64_t>{}(std::uint64_t{static_cast<std::uint8_t>(call.abi)} << 32 |
                                          call.number);
    }
};
