#include "callcensus/abi.hpp"

#include <algorithm>
#include <array>

namespace callcensus {
namespace {

constexpr std::uint32_t x32_bit = 0x40000000;  // __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h

constexpr std::array table{
    AbiInfo{Abi::x86_64, "x86_64", "SCMP_ARCH_X86_64", 0xc000003e, 0xc000003e, 0, 64, "amd64", Abi::x86_64},
    AbiInfo{Abi::i386, "i386", "SCMP_ARCH_X86", 0x40000003, 0x40000003, 0, 32, "386", Abi::x86_64},
    AbiInfo{Abi::x32, "x32", "SCMP_ARCH_X32", 0x4000003e, 0xc000003e, x32_bit, 32, "", Abi::x86_64},
    AbiInfo{Abi::aarch64, "aarch64", "SCMP_ARCH_AARCH64", 0xc00000b7, 0xc00000b7, 0, 64, "arm64",
            Abi::aarch64},
    AbiInfo{Abi::arm, "arm", "SCMP_ARCH_ARM", 0x40000028, 0x40000028, 0, 32, "arm", Abi::aarch64},
    AbiInfo{Abi::riscv64, "riscv64", "SCMP_ARCH_RISCV64", 0xc00000f3, 0xc00000f3, 0, 64, "riscv64",
            Abi::riscv64},
    AbiInfo{Abi::ppc64, "ppc64", "SCMP_ARCH_PPC64", 0x80000015, 0x80000015, 0, 64, "ppc64", Abi::ppc64},
    AbiInfo{Abi::ppc64le, "ppc64le", "SCMP_ARCH_PPC64LE", 0xc0000015, 0xc0000015, 0, 64, "ppc64le",
            Abi::ppc64le},
    AbiInfo{Abi::s390, "s390", "SCMP_ARCH_S390", 0x00000016, 0x00000016, 0, 32, "s390", Abi::s390x},
    AbiInfo{Abi::s390x, "s390x", "SCMP_ARCH_S390X", 0x80000016, 0x80000016, 0, 64, "s390x", Abi::s390x},
    AbiInfo{Abi::loongarch64, "loongarch64", "SCMP_ARCH_LOONGARCH64", 0xc0000102, 0xc0000102, 0, 64,
            "loong64", Abi::loongarch64},
    AbiInfo{Abi::mips, "mips", "SCMP_ARCH_MIPS", 0x00000008, 0x00000008, 4000, 32, "mips", Abi::mips64},
    AbiInfo{Abi::mipsel, "mipsel", "SCMP_ARCH_MIPSEL", 0x40000008, 0x40000008, 4000, 32, "mipsle",
            Abi::mipsel64},
    AbiInfo{Abi::mips64, "mips64", "SCMP_ARCH_MIPS64", 0x80000008, 0x80000008, 5000, 64, "mips64",
            Abi::mips64},
    AbiInfo{Abi::mipsel64, "mipsel64", "SCMP_ARCH_MIPSEL64", 0xc0000008, 0xc0000008, 5000, 64, "mips64le",
            Abi::mipsel64},
    AbiInfo{Abi::mips64n32, "mips64n32", "SCMP_ARCH_MIPS64N32", 0xa0000008, 0xa0000008, 6000, 32, "mips64p32",
            Abi::mips64},
    AbiInfo{Abi::mipsel64n32, "mipsel64n32", "SCMP_ARCH_MIPSEL64N32", 0xe0000008, 0xe0000008, 6000, 32,
            "mips64p32le", Abi::mipsel64},
};

constexpr bool table_follows_the_enumeration() {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (static_cast<std::size_t>(table[i].abi) != i) return false;
    return true;
}
static_assert(table_follows_the_enumeration());

template <class Predicate>
const AbiInfo* find(Predicate matches) {
    const auto* row = std::find_if(table.begin(), table.end(), matches);
    return row == table.end() ? nullptr : row;
}

// The kernel takes a number for x32 only where bit 30 is set and the number is not negative: -1, which a
// tracer or a filter uses to skip a call, stays with the 64-bit table (do_syscall_64,
// arch/x86/entry/syscall_64.c).
bool is_x32_number(std::uint32_t number) { return (number & (x32_bit | 0x80000000)) == x32_bit; }

}  // namespace

std::span<const AbiInfo> all_abis() { return table; }

const AbiInfo& info(Abi abi) { return table.at(static_cast<std::size_t>(abi)); }

const AbiInfo* find_abi(std::string_view id) {
    return find([&](const AbiInfo& row) { return row.id == id; });
}

const AbiInfo* find_abi_by_token(std::string_view token) {
    return find([&](const AbiInfo& row) { return row.token == token; });
}

Abi native_abi() {
#if defined(__x86_64__) && defined(__ILP32__)
    return Abi::x32;
#elif defined(__x86_64__)
    return Abi::x86_64;
#elif defined(__i386__)
    return Abi::i386;
#elif defined(__aarch64__)
    return Abi::aarch64;
#elif defined(__arm__)
    return Abi::arm;
#elif defined(__riscv) && __riscv_xlen == 64
    return Abi::riscv64;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return Abi::ppc64le;
#elif defined(__powerpc64__)
    return Abi::ppc64;
#elif defined(__s390x__)
    return Abi::s390x;
#elif defined(__loongarch64)
    return Abi::loongarch64;
#elif defined(__mips__) && defined(_ABI64) && _MIPS_SIM == _ABI64
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? Abi::mipsel64 : Abi::mips64;
#elif defined(__mips__) && defined(_ABIN32) && _MIPS_SIM == _ABIN32
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? Abi::mipsel64n32 : Abi::mips64n32;
#elif defined(__mips__)
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? Abi::mipsel : Abi::mips;
#else
#error "add a row for this architecture to the table above"
#endif
}

std::optional<Syscall> identify(std::uint32_t audit_arch, std::uint64_t number) {
    const auto low = static_cast<std::uint32_t>(number);
    const AbiInfo* row = find([&](const AbiInfo& candidate) {
        return candidate.audit_arch == audit_arch &&
               (candidate.abi == Abi::x32) == (audit_arch == 0xc000003e && is_x32_number(low));
    });
    if (row == nullptr) return std::nullopt;
    return Syscall{row->abi, low};
}

}  // namespace callcensus
