#include "callcensus/abi.hpp"

#include <seccomp.h>

#include <set>

#include "abi/known_call.hpp"
#include "catch.hpp"

namespace abi_test {

using namespace callcensus;

TEST_CASE("the table's tokens are libseccomp's own") {
    // libseccomp resolves a token to the same constant as the table's; LoongArch is newer than Debian 12's.
    const std::vector<std::pair<const char*, Abi>> names{{"x86_64", Abi::x86_64},
                                                         {"x86", Abi::i386},
                                                         {"x32", Abi::x32},
                                                         {"aarch64", Abi::aarch64},
                                                         {"arm", Abi::arm},
                                                         {"riscv64", Abi::riscv64},
                                                         {"ppc64", Abi::ppc64},
                                                         {"ppc64le", Abi::ppc64le},
                                                         {"s390", Abi::s390},
                                                         {"s390x", Abi::s390x},
                                                         {"mips", Abi::mips},
                                                         {"mipsel", Abi::mipsel},
                                                         {"mips64", Abi::mips64},
                                                         {"mipsel64", Abi::mipsel64},
                                                         {"mips64n32", Abi::mips64n32},
                                                         {"mipsel64n32", Abi::mipsel64n32}};
    CHECK(names.size() + 1 == all_abis().size());
    for (const auto& [name, abi] : names) {
        CAPTURE(name);
        CHECK(seccomp_arch_resolve_name(name) == info(abi).scmp_arch);
    }
}

TEST_CASE("rows are found by id and by token, and nothing else is") {
    for (const AbiInfo& row : all_abis()) {
        CHECK(find_abi(row.id) == &row);
        CHECK(find_abi_by_token(row.token) == &row);
    }
    CHECK(find_abi("SCMP_ARCH_X86_64") == nullptr);
    CHECK(find_abi_by_token("SCMP_ARCH_VAX") == nullptr);
}

TEST_CASE("a call is identified by architecture and number") {
    CHECK(identify(0xc000003e, 39) == Syscall{Abi::x86_64, 39});
    CHECK(identify(0x40000003, 20) == Syscall{Abi::i386, 20});
    CHECK(identify(0xc000003e, 0x40000000 | 39) == Syscall{Abi::x32, 0x40000000 | 39});
    CHECK(identify(0xc00000b7, 172) == Syscall{Abi::aarch64, 172});
    CHECK(identify(0x80000008, 5038) == Syscall{Abi::mips64, 5038});
    CHECK_FALSE(identify(0x12345678, 1).has_value());

    SECTION("the kernel ignores the upper half of the number") {
        CHECK(identify(0xc000003e, 0xdeadbeef00000027) == Syscall{Abi::x86_64, 39});
    }
    SECTION("-1 is no x32 number although its bit 30 is set") {
        CHECK(identify(0xc000003e, 0xffffffffffffffff) == Syscall{Abi::x86_64, 0xffffffff});
    }
    SECTION("i386 has no x32 bit") {
        CHECK(identify(0x40000003, 0x40000000 | 20) == Syscall{Abi::i386, 0x40000000 | 20});
    }
}

TEST_CASE("calls have names on each ABI") {
    CHECK(syscall_name({Abi::x86_64, 0}) == "read");
    CHECK(name_or_number({Abi::x86_64, 0}) == "read");
    CHECK(name_or_number({Abi::x86_64, 999'999}) == "number 999999");
    CHECK(syscall_name({Abi::i386, 102}) == "socketcall");
    CHECK(syscall_name({Abi::x32, 0x40000000 | 39}) == "getpid");
    CHECK(syscall_name({Abi::aarch64, 172}) == "getpid");
    CHECK(syscall_name({Abi::arm, 20}) == "getpid");
    CHECK(syscall_name({Abi::riscv64, 172}) == "getpid");
    CHECK(syscall_name({Abi::loongarch64, 172}) == "getpid");
    CHECK(syscall_name({Abi::ppc64le, 20}) == "getpid");
    CHECK(syscall_name({Abi::s390x, 20}) == "getpid");
    CHECK(syscall_name({Abi::mips, 4020}) == "getpid");
    CHECK(syscall_name({Abi::mips64, 5038}) == "getpid");
    CHECK(syscall_name({Abi::mipsel64n32, 6038}) == "getpid");
}

TEST_CASE("calls newer than libseccomp have names as well, with the ABI's base") {
    CHECK(syscall_name({Abi::x86_64, 457}) == "statmount");
    CHECK(syscall_name({Abi::i386, 462}) == "mseal");
    CHECK(syscall_name({Abi::x32, 0x40000000 | 463}) == "setxattrat");
    CHECK(syscall_name({Abi::mips, 4000 + 469}) == "file_setattr");
    CHECK(syscall_name({Abi::riscv64, 258}) == "riscv_hwprobe");
    CHECK(syscall_name({Abi::x86_64, 335}) == "uretprobe");
    CHECK(syscall_number(Abi::mips64, "statmount") == 5000U + 457U);
}

TEST_CASE("numbers that are no calls have no names") {
    CHECK(syscall_name({Abi::x86_64, 5000}).empty());
    CHECK(syscall_name({Abi::x86_64, 0xffffffff}).empty());
    CHECK(syscall_name({Abi::mips, 20}).empty());  // below the base
}

TEST_CASE("name and number are each other's inverse on every ABI") {
    // Where an ABI also has the multiplexers socketcall and ipc, libseccomp answers for their parts with a
    // pseudo-number that stands for both ways, and we with none.
    std::set<std::string> multiplexed;
    for (const AbiInfo& row : all_abis()) {
        std::size_t named = 0;
        for (std::uint32_t number = row.number_base; number < row.number_base + 500; ++number) {
            const std::string name = syscall_name({row.abi, number});
            if (name.empty()) continue;
            ++named;
            CAPTURE(row.id, number, name);
            const auto back = syscall_number(row.abi, name);
            if (back)
                CHECK(*back == number);
            else
                multiplexed.insert(name);
        }
        CAPTURE(row.id);
        CHECK(named > 250);
    }
    for (const std::string& name : multiplexed) {
        CAPTURE(name);
        const std::set<std::string> parts{
            "accept",  "accept4", "bind",       "connect",  "getpeername", "getsockname", "getsockopt",
            "listen",  "recv",    "recvfrom",   "recvmmsg", "recvmsg",     "send",        "sendmmsg",
            "sendmsg", "sendto",  "setsockopt", "shutdown", "socket",      "socketpair",  "msgctl",
            "msgget",  "msgrcv",  "msgsnd",     "semctl",   "semget",      "semop",       "semtimedop",
            "shmat",   "shmctl",  "shmdt",      "shmget"};
        CHECK(parts.count(name) == 1);
    }
}

TEST_CASE("a name that an ABI does not have has no number there") {
    CHECK_FALSE(syscall_number(Abi::x86_64, "socketcall").has_value());
    CHECK_FALSE(syscall_number(Abi::aarch64, "open").has_value());
    CHECK_FALSE(syscall_number(Abi::x86_64, "no_such_call").has_value());
    CHECK_FALSE(syscall_number(Abi::x86_64, "").has_value());
}

TEST_CASE("only names that the library in use lacks need a newer one") {
    CHECK(libseccomp_needed_for("read").empty());
    CHECK(libseccomp_needed_for("socketcall").empty());
    const bool library_knows = seccomp_syscall_resolve_name("file_setattr") != __NR_SCMP_ERROR;
    CHECK(libseccomp_needed_for("file_setattr").empty() == library_knows);
}

TEST_CASE("a known call is recognised on each ABI of this machine by that ABI's number") {
    const KnownCall getpid("getpid"), fork("fork"), nothing("no_such_call");
    for (const AbiInfo& row : all_abis()) {
        CAPTURE(row.id);
        const std::uint32_t number = syscall_number(row.abi, "getpid").value();
        CHECK(getpid.is({row.abi, number}) == (row.native == native_abi()));
        CHECK_FALSE(getpid.is({row.abi, number + 1}));
        CHECK_FALSE(nothing.is({row.abi, number}));
    }
    const std::uint32_t vfork = syscall_number(Abi::x86_64, "vfork").value();
    CHECK_FALSE(fork.is({Abi::x86_64, vfork}));
    CHECK(fork.is({Abi::x86_64, 57}) == (native_abi() == Abi::x86_64));
    CHECK_FALSE(fork.is({Abi::aarch64, 57}));
}

}  // namespace abi_test
