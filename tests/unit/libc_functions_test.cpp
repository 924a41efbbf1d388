#include "abi/libc_functions.hpp"

#include <set>

#include "base/words.hpp"
#include "catch.hpp"

namespace libc_functions_test {

using namespace callcensus;
using Names = std::vector<std::string>;

TEST_CASE("every function of libc stands for calls on each common ABI, none stands twice") {
    std::set<std::string_view> seen;
    for (const LibcFunctions& row : all_libc_functions()) {
        CAPTURE(row.names);
        for (const std::string_view call : words_of(row.calls)) {
            CAPTURE(call);
            CHECK(all_syscall_names().count(std::string(call)) == 1);
        }
        for (const std::string_view name : words_of(row.names)) {
            CAPTURE(name);
            CHECK(seen.insert(name).second);
            for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::aarch64, Abi::arm, Abi::riscv64}) {
                CAPTURE(info(abi).id);
                // Of sysctl() nothing is left on newer ABIs.
                const bool has_one = exists_on_any({abi}, name) || name == "sysctl";
                CHECK((has_one || !calls_behind(name, {abi}).empty()));
                if (exists_on_any({abi}, name)) CHECK(calls_behind(name, {abi}).empty());
            }
        }
    }
}

TEST_CASE("a function of libc means the calls that the ABIs have") {
    const std::set<Abi> x86_64{Abi::x86_64};
    const std::set<Abi> aarch64{Abi::aarch64};
    const std::set<Abi> both{Abi::x86_64, Abi::i386};
    CHECK(meant_calls("pread", x86_64) == Names{"pread64"});
    CHECK(meant_calls("send", x86_64) == Names{"sendto"});
    CHECK(meant_calls("mkfifo", x86_64) == Names{"mknod", "mknodat"});
    CHECK(meant_calls("mkfifo", aarch64) == Names{"mknodat"});
    CHECK(meant_calls("setegid", both) == Names{"setresgid", "setresgid32"});
    CHECK(calls_behind("stat64", both).empty());  // a call of i386
    CHECK(calls_behind("stat64", x86_64) == Names{"stat", "newfstatat", "statx"});
    CHECK(calls_behind("read", x86_64).empty());
}

TEST_CASE("prefixes of headers, kernel sources and traces do not hide a call") {
    for (const char* name :
         {"__NR_openat", "SYS_openat", "sys_openat", "__x64_sys_openat", "sys_enter_openat"})
        CHECK(meant_calls(name, {Abi::x86_64}) == Names{"openat"});
    CHECK(meant_calls("SYS_pread", {Abi::x86_64}) == Names{"pread64"});
}

TEST_CASE("the name that is spelt most alike is one of the ABIs' calls") {
    CHECK(meant_calls("raed", {Abi::x86_64}) == Names{"read"});
    CHECK(meant_calls("umout2", {Abi::x86_64}) == Names{"umount2"});
    CHECK(meant_calls("soketcall", {Abi::x86_64}).empty());
    CHECK(meant_calls("soketcall", {Abi::i386}) == Names{"socketcall"});
    CHECK(meant_calls("frobnicate_it", {Abi::x86_64}).empty());
}

}  // namespace libc_functions_test
