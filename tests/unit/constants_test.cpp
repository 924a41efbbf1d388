#include "abi/constants.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "catch.hpp"
#include "cli/call_arguments.hpp"

namespace constants_test {

using namespace callcensus;

TEST_CASE("constants have the values of their ABI") {
    CHECK(find_constant(Abi::x86_64, "MADV_DONTNEED") == 4U);
    CHECK(find_constant(Abi::x86_64, "F_DUPFD_CLOEXEC") == 1030U);
    CHECK(find_constant(native_abi(), "MADV_DONTNEED") == std::uint64_t{MADV_DONTNEED});
    CHECK(find_constant(native_abi(), "O_DIRECTORY") == std::uint64_t{O_DIRECTORY});
    CHECK(find_constant(native_abi(), "PR_SET_NO_NEW_PRIVS") == std::uint64_t{PR_SET_NO_NEW_PRIVS});
    CHECK(find_constant(Abi::x86_64, "FIONBIO") == 0x5421U);
    CHECK(find_constant(Abi::mipsel, "FIONBIO") == 0x667eU);
    CHECK(find_constant(Abi::ppc64, "TCGETS") == 0x402c7413U);
    CHECK(find_constant(Abi::arm, "O_DIRECTORY") == 0x4000U);
    CHECK(find_constant(Abi::loongarch64, "O_DIRECTORY") == 0x10000U);
    CHECK(find_constant(Abi::mips, "SOCK_STREAM") == 2U);
    CHECK(find_constant(Abi::x86_64, "AT_FDCWD") == static_cast<std::uint64_t>(-100));
    CHECK(find_constant(Abi::i386, "AT_FDCWD") == 0xffffff9cU);
    CHECK(find_constant(Abi::x86_64, "ARCH_SET_FS") == 0x1002U);
    CHECK_FALSE(find_constant(Abi::aarch64, "ARCH_SET_FS"));
    // Younger than the headers that the table is made of.
    CHECK(find_constant(Abi::riscv64, "MADV_GUARD_INSTALL") == 102U);
    for (const std::string name : {"", "NO_SUCH_NAME", "madv_dontneed", "4"})
        CHECK_FALSE(find_constant(Abi::x86_64, name));
    CHECK(nearest_constant(Abi::x86_64, "MADV_DONTNED") == "MADV_DONTNEED");
    CHECK(nearest_constant(Abi::x86_64, "qqqqqqqqqqqq").empty());
}

TEST_CASE("arguments of a call can be numbers, names and both together") {
    const auto argument = [](Abi abi, const std::string& call, const std::string& word) {
        const auto arguments = cli::read_arguments(abi, call, {word});
        if (!arguments) FAIL(arguments.error().text());
        return arguments->at(0);
    };
    CHECK(argument(Abi::x86_64, "clone", "CLONE_NEWUSER") == 0x10000000U);
    CHECK(argument(Abi::x86_64, "clone", "CLONE_NEWUSER|CLONE_NEWNS|0x11") == 0x10020011U);
    CHECK(argument(Abi::x86_64, "personality", "ADDR_NO_RANDOMIZE") == 0x40000U);
    CHECK(argument(Abi::aarch64, "open", "O_DIRECTORY") == 0x4000U);
    CHECK(argument(Abi::x86_64, "openat", "-100") == static_cast<std::uint64_t>(-100));
    CHECK(argument(Abi::x86_64, "openat", "AT_FDCWD") == static_cast<std::uint64_t>(-100));
    CHECK_FALSE(argument(Abi::x86_64, "read", "_"));
    const auto mistake = [](const std::string& call, const std::vector<std::string>& words) {
        const auto arguments = cli::read_arguments(Abi::x86_64, call, words);
        REQUIRE_FALSE(arguments);
        CHECK(arguments.error().text().find('\n') == std::string::npos);
        return arguments.error().text();
    };
    CHECK(mistake("clone", {"CLONE_NEWUSR"}) ==
          "\"CLONE_NEWUSR\": is no number and no constant of x86_64; did you mean CLONE_NEWUSER?");
    CHECK(mistake("socket", {"AF_INET", "sock_strem"}).find("SOCK_STREAM") != std::string::npos);
    CHECK(mistake("socket", {"quite_another_word"}).find("AF_UNSPEC, AF_UNIX") != std::string::npos);
    for (const std::string word : {"", "|", "1|", "|1", " 1", "CLONE_VM|", "CLONE_VM||1", "0x", "1x"})
        CHECK(mistake("clone", {word}).find("is no number") != std::string::npos);
    CHECK(mistake("read", {"1", "2", "3", "4", "5", "6", "7"}) == "a call has six arguments at most");
}

}  // namespace constants_test
