#include "callcensus/unused.hpp"

#include "profiles.hpp"

namespace unused_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

using Names = std::vector<std::string>;
using All = std::vector<UnusedAllowance>;

Used made(const std::string& call, std::optional<std::vector<Arguments>> arguments = std::nullopt,
          Abi abi = Abi::x86_64) {
    return {{abi, *syscall_number(abi, call)}, std::move(arguments)};
}

All unused_of(const Profile& profile, const std::vector<Used>& used, const Machine& where = machine()) {
    return unused(profile, where, used);
}

}  // namespace

TEST_CASE("names that were not called are unused, and a rule all of whose names are is so as a whole") {
    const Profile policy = profile(R"(
        {"names": ["read", "write", "mount"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["ptrace"], "action": "SCMP_ACT_LOG"},
        {"name": "bpf", "action": "SCMP_ACT_ALLOW"},
        {"names": ["getpid"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["swapon"], "action": "SCMP_ACT_ERRNO"})");
    CHECK(
        unused_of(policy, {made("read"), made("getpid", {{}})}) ==
        All{{0, {"write", "mount"}, false, false}, {1, {"ptrace"}, true, false}, {2, {"bpf"}, true, false}});
    CHECK(unused_of(policy,
                    {made("read"), made("write"), made("mount"), made("ptrace"), made("bpf"), made("getpid")})
              .empty());
}

TEST_CASE("a rule with conditions is used where they held") {
    const Profile policy = profile(R"(
        {"names": ["socket", "clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}]})");
    CHECK(unused_of(policy, {made("socket", {{{1}, {5}}})}) ==
          All{{0, {"clone"}, false, false}, {1, {"socket"}, true, false}});
    CHECK(unused_of(policy, {made("socket", {{{3}}}), made("clone", {{{7}}})}) ==
          All{{0, {"socket", "clone"}, true, false}});
    CHECK(unused_of(policy, {made("socket")}) ==
          All{{0, {"clone"}, false, false}, {0, {"socket"}, false, true}, {1, {"socket"}, true, true}});
    // Made twice: once in a way that nobody knows.
    CHECK(unused_of(policy, {made("socket"), made("socket", {{{2}}}), made("clone", {{{1}}})}) ==
          All{{0, {"socket"}, false, true}});
}

TEST_CASE("what does not let through here is not listed") {
    const Profile policy = profile(R"(
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["arm_fadvise64_64", "no_such_call", "read"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["breakpoint"], "action": "SCMP_ACT_ALLOW"})");
    CHECK(unused_of(policy, {}) == All{{1, {"read"}, true, false}});
    CHECK(unused_of(policy, {made("read")}).empty());
    Machine admin = machine();
    admin.caps.insert("CAP_SYS_ADMIN");
    CHECK(unused_of(policy, {made("read")}, admin) == All{{0, {"mount"}, true, false}});
    Profile allowing = policy;
    allowing.default_action = Action::allow;
    CHECK(unused_of(allowing, {}).empty());
}

TEST_CASE("an ABI counts where the profile covers it") {
    Profile policy = profile(R"({"names": ["write"], "action": "SCMP_ACT_ALLOW"})");
    const std::vector<Used> used{made("write", std::nullopt, Abi::i386)};
    CHECK(unused_of(policy, used) == All{{0, {"write"}, true, false}});
    policy.architectures.emplace_back("SCMP_ARCH_X86");
    CHECK(unused_of(policy, used).empty());
}

TEST_CASE("what is done through socketcall counts for what it does") {
    Profile policy = profile(R"({"names": ["socket", "bind", "read"], "action": "SCMP_ACT_ALLOW"})");
    policy.architectures.emplace_back("SCMP_ARCH_X86");
    CHECK(unused_of(policy, {made("socketcall", {{{2}}}, Abi::i386)}) ==
          All{{0, {"socket", "read"}, false, false}});
    CHECK(unused_of(policy, {made("socketcall", std::nullopt, Abi::i386)}) ==
          All{{0, {"read"}, false, false}, {0, {"socket", "bind"}, false, true}});
}

}  // namespace unused_test
