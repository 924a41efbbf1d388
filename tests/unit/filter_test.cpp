#include "bpf/filter.hpp"

#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "bpf/listing.hpp"
#include "callcensus/argument_set.hpp"
#include "catch.hpp"
#include "record/ptrace/census_filter.hpp"

namespace filter_test {

using namespace callcensus;

namespace {

constexpr std::uint32_t other = SECCOMP_RET_TRACE | 7;

std::uint32_t answer_to(const Filter& filter, Syscall call, std::uint64_t first_argument = 0) {
    seccomp_data data{};
    data.nr = static_cast<int>(call.number);
    data.arch = info(call.abi).audit_arch;
    data.args[0] = first_argument;
    const auto answer = evaluate(filter, data);
    REQUIRE(answer.has_value());
    return *answer;
}

Syscall named(Abi abi, std::string_view name) { return {abi, syscall_number(abi, name).value()}; }

}  // namespace

TEST_CASE("a filter allows exactly the known calls, by ABI") {
    const SyscallSet known{{Abi::x86_64, 0},          {Abi::x86_64, 1},      {Abi::x86_64, 39},
                           {Abi::x86_64, 0xffffffff}, {Abi::i386, 4},        {Abi::i386, 39},
                           {Abi::x32, 0x40000000},    {Abi::x32, 0x40000200}};
    const auto filter = known_set_filter(known, {}, other);
    REQUIRE(filter.has_value());
    for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
        for (std::uint32_t number = 0; number < 600; ++number) {
            const Syscall call{abi, number + info(abi).number_base};
            CHECK(answer_to(*filter, call) == (known.contains(call) ? SECCOMP_RET_ALLOW : other));
        }
    CHECK(answer_to(*filter, {Abi::x86_64, 0xffffffff}) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, {Abi::x86_64, 0xfffffffe}) == other);
    CHECK(answer_to(*filter, {Abi::i386, 0xffffffff}) == other);
    CHECK(answer_to(*filter, {Abi::aarch64, 0}) == other);
}

TEST_CASE("a filter of nothing allows nothing") {
    const auto filter = known_set_filter({}, {}, other);
    REQUIRE(filter.has_value());
    CHECK(answer_to(*filter, {Abi::x86_64, 0}) == other);
}

TEST_CASE("a filter holds whatever the numbers are") {
    std::mt19937 random(1);
    for (const std::uint32_t spread : {400U, 2000U, 0xffffffffU}) {
        SyscallSet known;
        for (int i = 0; i < 300; ++i)
            known.insert({Abi::x86_64, static_cast<std::uint32_t>(random() % spread)});
        const auto filter = known_set_filter(known, {}, other);
        REQUIRE(filter.has_value());
        for (const Syscall call : known) {
            CHECK(answer_to(*filter, call) == SECCOMP_RET_ALLOW);
            const Syscall next{Abi::x86_64, call.number + 1};
            CHECK(answer_to(*filter, next) == (known.contains(next) ? SECCOMP_RET_ALLOW : other));
        }
    }
}

TEST_CASE("a filter that the kernel would not take is not made") {
    SyscallSet known;
    for (std::uint32_t number = 0; number < 8000; number += 2) known.insert({Abi::x86_64, number});
    CHECK_FALSE(known_set_filter(known, {}, other).has_value());
}

TEST_CASE("exceptions look at the low half of an argument") {
    const SyscallSet known{{Abi::x86_64, 10}, {Abi::x86_64, 11}, {Abi::i386, 10}};
    const Exception equals{{Abi::x86_64, 10}, 0, Exception::Test::equals, 22};
    const Exception bit{{Abi::x86_64, 11}, 0, Exception::Test::has_bit, 0x100};
    const auto filter = known_set_filter(known, std::array{equals, bit}, other);
    REQUIRE(filter.has_value());
    CHECK(answer_to(*filter, {Abi::x86_64, 10}, 22) == other);
    CHECK(answer_to(*filter, {Abi::x86_64, 10}, 0xdead00000016) == other);
    CHECK(answer_to(*filter, {Abi::x86_64, 10}, 23) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, {Abi::x86_64, 11}, 0x101) == other);
    CHECK(answer_to(*filter, {Abi::x86_64, 11}, 0x100000000) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, {Abi::i386, 10}, 22) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, {Abi::x86_64, 9}, 0) == other);
    CHECK(answer_to(*filter, {Abi::x86_64, 12}, 0) == other);
}

TEST_CASE("an exception of a call that is not known changes nothing") {
    const Exception exception{{Abi::x86_64, 10}, 0, Exception::Test::equals, 22};
    const auto filter = known_set_filter({{Abi::x86_64, 9}}, {&exception, 1}, other);
    REQUIRE(filter.has_value());
    CHECK(answer_to(*filter, {Abi::x86_64, 10}, 23) == other);
}

TEST_CASE("a program that is no filter has no answer") {
    CHECK_FALSE(evaluate({}, {}).has_value());
    CHECK_FALSE(evaluate({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(seccomp_data))}, {}).has_value());
    CHECK_FALSE(evaluate({BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff)}, {}).has_value());
}

TEST_CASE("the census filter always stops what the engine must see") {
    SyscallSet known;
    for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
        for (const char* name : {"read", "seccomp", "ptrace", "clone3", "clone", "prctl"})
            known.insert(named(abi, name));
    const auto filter = ptrace::census_filter(known);
    REQUIRE(filter.has_value());
    constexpr std::uint32_t stops = SECCOMP_RET_TRACE | ptrace::our_filter_data;
    for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32}) {
        CHECK(answer_to(*filter, named(abi, "read")) == SECCOMP_RET_ALLOW);
        for (const char* name : {"seccomp", "ptrace", "clone3"})
            CHECK(answer_to(*filter, named(abi, name)) == stops);
        CHECK(answer_to(*filter, named(abi, "prctl"), PR_SET_SECCOMP) == stops);
        CHECK(answer_to(*filter, named(abi, "prctl"), PR_SET_NAME) == SECCOMP_RET_ALLOW);
        CHECK(answer_to(*filter, named(abi, "clone"), CLONE_VM | CLONE_UNTRACED) == stops);
        CHECK(answer_to(*filter, named(abi, "clone"), CLONE_VM) == SECCOMP_RET_ALLOW);
    }
    CHECK(answer_to(*filter, named(Abi::x86_64, "write")) == stops);
}

TEST_CASE("the census filter lets calls through with arguments that are known") {
    constexpr std::uint32_t stops = SECCOMP_RET_TRACE | ptrace::our_filter_data;
    const auto set = [](std::uint32_t index, std::uint64_t value, Abi abi) {
        return set_of(std::vector<ArgumentCondition>{{index, value, 0, Comparison::eq}}, argument_width(abi));
    };
    std::map<Syscall, ArgumentSet> known_if;
    const Syscall socket = named(Abi::x86_64, "socket"), socket_32 = named(Abi::i386, "socket");
    known_if[socket] = union_of(set(0, 1, Abi::x86_64), set(0, 0x100000002, Abi::x86_64));
    known_if[socket_32] = set(0, 2, Abi::i386);
    known_if[named(Abi::x86_64, "read")] = set(0, 1, Abi::x86_64);
    for (const char* name : {"seccomp", "ptrace", "clone3", "prctl", "clone"})
        known_if[named(Abi::x86_64, name)] = all_arguments(ArgumentWidth::bits64);
    const auto filter =
        ptrace::census_filter({named(Abi::x86_64, "read"), named(Abi::x86_64, "prctl")}, known_if);
    REQUIRE(filter.has_value());
    CHECK(answer_to(*filter, socket, 1) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, socket, 0x100000002) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, socket, 2) == stops);
    CHECK(answer_to(*filter, socket, 0x100000001) == stops);
    CHECK(answer_to(*filter, socket, 0) == stops);
    CHECK(answer_to(*filter, socket_32, 2) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, socket_32, 1) == stops);
    CHECK(answer_to(*filter, {Abi::x32, 41 + info(Abi::x32).number_base}, 1) == stops);
    // What is known at all is so whatever the arguments.
    CHECK(answer_to(*filter, named(Abi::x86_64, "read"), 7) == SECCOMP_RET_ALLOW);
    // And what the engine has to see it sees.
    for (const char* name : {"seccomp", "ptrace", "clone3"})
        CHECK(answer_to(*filter, named(Abi::x86_64, name)) == stops);
    CHECK(answer_to(*filter, named(Abi::x86_64, "prctl"), PR_SET_SECCOMP) == stops);
    CHECK(answer_to(*filter, named(Abi::x86_64, "prctl"), PR_SET_NAME) == SECCOMP_RET_ALLOW);
    CHECK(answer_to(*filter, named(Abi::x86_64, "clone"), CLONE_VM | CLONE_UNTRACED) == stops);
    CHECK(answer_to(*filter, named(Abi::x86_64, "write")) == stops);
}

TEST_CASE("a listing names what the filter tests") {
    const Filter filter = *known_set_filter({{Abi::x86_64, 59}, {Abi::i386, 11}}, {}, SECCOMP_RET_ERRNO | 38);
    const std::string text = listing(filter);
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(filter.size()));
    CHECK(text.find("   0  load arch\n") == 0);
    for (const std::string part : {"(x86_64)", "(i386)", "return ALLOW\n", "return ERRNO 38 (ENOSYS)\n"})
        CHECK(text.find(part) != std::string::npos);

    // 11 is munmap on x86_64 and execve on i386: where nothing has told the architecture there is no name.
    const sock_filter load_number = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    const sock_filter is_11 = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 11, 0, 1);
    const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    CHECK(
        listing({load_number, is_11, allow, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24), BPF_STMT(BPF_MISC, 0)}) ==
        "   0  load number\n   1  if it != 11 goto 3\n   2  return ALLOW\n   3  load low half of arg1\n"
        "   4  code 0x7, jt 0, jf 0, k 0x0\n");
    CHECK(listing({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 3), load_number, is_11, allow,
                   allow}) ==
          "   0  load arch\n   1  if it != 0x40000003 (i386) goto 5\n   2  load number\n"
          "   3  if it != 11 (execve) goto 5\n   4  return ALLOW\n   5  return ALLOW\n");
}

TEST_CASE("the census filter stops what would make it long") {
    std::map<Syscall, ArgumentSet> known_if;
    constexpr std::uint64_t values = 40;
    for (std::uint32_t number = 0; number < 200; ++number) {
        ArgumentSet set;
        for (std::uint64_t value = 0; value < values; ++value)
            set = union_of(set, set_of(std::vector<ArgumentCondition>{{0, value * 3, 0, Comparison::eq}},
                                       ArgumentWidth::bits64));
        known_if[{Abi::x86_64, number}] = set;
    }
    const auto filter = ptrace::census_filter({{Abi::x86_64, 300}}, known_if);
    REQUIRE(filter.has_value());
    CHECK(filter->size() <= BPF_MAXINSNS);
    CHECK(answer_to(*filter, {Abi::x86_64, 300}) == SECCOMP_RET_ALLOW);
    std::size_t let_through = 0;
    for (std::uint32_t number = 0; number < 200; ++number) {
        const bool some = answer_to(*filter, {Abi::x86_64, number}, 3) == SECCOMP_RET_ALLOW;
        let_through += some ? 1 : 0;
        CHECK(answer_to(*filter, {Abi::x86_64, number}, 4) != SECCOMP_RET_ALLOW);
    }
    CHECK(let_through > 0);
    CHECK(let_through < 200);
}

}  // namespace filter_test
