#include "callcensus/fix.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/meaning.hpp"
#include "meaning/loading.hpp"
#include "profiles.hpp"
#include "random_profiles.hpp"

namespace fix_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

using Lines = std::vector<std::string>;

// Sanitizers take fifteen times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr int rounds = 60;
#else
constexpr int rounds = 400;
#endif

Need need(const std::string& call, std::optional<Arguments> arguments = Arguments{}, Abi abi = Abi::x86_64) {
    return {{abi, *syscall_number(abi, call)}, arguments, "verify: made by /usr/bin/x"};
}

Fixed fixed(const Profile& profile, const std::vector<Need>& needs, const Machine& where = machine()) {
    auto result = fix(profile, where, needs);
    if (!result) FAIL(result.error().text());
    return *result;
}

Rule new_rule(std::vector<std::string> names, Conditions conditions = {}) {
    Rule rule;
    rule.names = std::move(names);
    rule.args = std::move(conditions);
    rule.comment = "verify: made by /usr/bin/x";
    return rule;
}

ArgumentCondition equals(std::uint32_t index, std::uint64_t value) {
    return {index, value, 0, Comparison::eq};
}

bool lets(const Profile& profile, const Need& what, const Machine& where = machine()) {
    const auto meaning = meaning_of(profile, where);
    if (!meaning) FAIL(meaning.error().text());
    return lets_through(
        meaning->decide(what.call.abi, syscall_name(what.call), what.arguments.value_or(Arguments{})).action);
}

constexpr const char* some_sockets = R"(
    {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]})";

}  // namespace

TEST_CASE("what no rule speaks of goes into one new rule, sorted") {
    const Profile before = profile(some_sockets);
    const Fixed after = fixed(before, {need("write"), need("mount"), need("read"), need("write")});
    REQUIRE(after.profile.rules.size() == 3);
    CHECK(after.profile.rules[2] == new_rule({"mount", "write"}));
    CHECK(after.changes == std::vector<Lines>{{"add \"write\" to a rule that allows it"},
                                              {"add \"mount\" to a rule that allows it"},
                                              {},
                                              {}});
    CHECK(after.impossible.empty());
    Profile rest = after.profile;
    rest.rules.pop_back();
    CHECK(rest == before);
}

TEST_CASE("where rules look at arguments the new one does, too, and at nothing else") {
    const Profile before = profile(some_sockets);
    const Fixed after = fixed(before, {need("socket", Arguments{40, 7}), need("socket", Arguments{1}),
                                       need("socket", Arguments{16, 8}), need("socket", Arguments{40, 9})});
    REQUIRE(after.profile.rules.size() == 4);
    CHECK(after.profile.rules[2] == new_rule({"socket"}, {equals(0, 40)}));
    CHECK(after.profile.rules[3] == new_rule({"socket"}, {equals(0, 16)}));
    CHECK(after.changes ==
          std::vector<Lines>{{"allow socket where arg0 == 40"}, {}, {"allow socket where arg0 == 16"}, {}});
    CHECK_FALSE(lets(after.profile, need("socket", Arguments{2})));
}

TEST_CASE("arguments that are not known make the call allowed whatever they are") {
    const Fixed after =
        fixed(profile(some_sockets), {need("socket", Arguments{40}), need("socket", std::nullopt)});
    // The first would get a rule of its own, for nothing.
    REQUIRE(after.profile.rules.size() == 3);
    CHECK(after.profile.rules[2] == new_rule({"socket"}));
    CHECK(after.changes == std::vector<Lines>{{}, {"add \"socket\" to a rule that allows it"}});
}

TEST_CASE("names whose conditions are the same share a rule, and reasons its comment") {
    Need one = need("clone", Arguments{5});
    one.reason = "verify: made by /usr/bin/y";
    const Fixed after = fixed(profile(R"({"names": ["clone", "socket"], "action": "SCMP_ACT_ALLOW",
                                  "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]})"),
                              {need("socket", Arguments{5}), one});
    REQUIRE(after.profile.rules.size() == 2);
    CHECK(after.profile.rules[1].names == Lines{"clone", "socket"});
    CHECK(after.profile.rules[1].comment == "verify: made by /usr/bin/x; verify: made by /usr/bin/y");
}

TEST_CASE("a rule that denies whatever the arguments loses the name, and goes away with its last") {
    const Profile before =
        profile(R"({"names": ["ptrace", "mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
                   {"name": "bpf", "action": "SCMP_ACT_KILL_PROCESS"},
                   {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW",
                    "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]})");
    const Fixed after = fixed(before, {need("ptrace", Arguments{0, 5}), need("bpf")});
    CHECK(after.changes == std::vector<Lines>{{"remove \"ptrace\" from syscalls[0], which denies it"},
                                              {"remove \"bpf\" from syscalls[1], which denies it",
                                               "add \"bpf\" to a rule that allows it"}});
    REQUIRE(after.profile.rules.size() == 3);
    CHECK(after.profile.rules[0].names == Lines{"mount"});
    CHECK(after.profile.rules[1] == before.rules[2]);
    CHECK(after.profile.rules[2] == new_rule({"bpf"}));
    CHECK_FALSE(lets(after.profile, need("ptrace", Arguments{1})));
}

TEST_CASE("where conditional rules deny, the new one stands before them") {
    const Profile before = profile(R"({"names": ["read"], "action": "SCMP_ACT_ALLOW"},
                   {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
                    "args": [{"index": 0, "value": 10, "op": "SCMP_CMP_GE"}]})");
    const Need netlink = need("socket", Arguments{16});
    const Fixed after = fixed(before, {netlink});
    CHECK(after.changes ==
          std::vector<Lines>{{"allow socket where arg0 == 16, before the rules that deny it"}});
    REQUIRE(after.profile.rules.size() == 3);
    CHECK(after.profile.rules[0] == new_rule({"socket"}, {equals(0, 16)}));
    CHECK(lets(after.profile, netlink));
    CHECK(meaning_of(after.profile, machine())->decide(Abi::x86_64, "socket", {17}) ==
          Decision{Action::errno_, EACCES});
}

TEST_CASE("a rule that denies just what is needed makes way") {
    const Fixed after = fixed(profile(R"({"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
                                  "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]})"),
                              {need("socket", Arguments{40})});
    CHECK(after.profile.rules == std::vector<Rule>{new_rule({"socket"}, {equals(0, 40)})});
    CHECK(after.changes == std::vector<Lines>{{"remove \"socket\" from syscalls[0], which denies it",
                                               "allow socket where arg0 == 40"}});
}

TEST_CASE("beside a default that allows, rules deny less") {
    Profile before = profile(R"({"names": ["socket", "mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                                 "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_GE"}]},
                                {"names": ["mount"], "action": "SCMP_ACT_ERRNO"})");
    before.default_action = Action::allow;
    before.default_errno_ret.reset();
    const Fixed after = fixed(before, {need("socket", Arguments{16}), need("mount", Arguments{16})});
    CHECK(after.changes[0] == Lines{"deny socket in syscalls[0] only where arg0 >= 17"});
    CHECK(after.changes[1] == Lines{"remove \"mount\" from syscalls[1], which denies it",
                                    "deny mount in syscalls[0] only where arg0 >= 17"});
    for (const char* const call : {"socket", "mount"}) {
        CHECK(lets(after.profile, need(call, Arguments{16})));
        CHECK_FALSE(lets(after.profile, need(call, Arguments{17})));
    }
    const Fixed all = fixed(before, {need("socket", std::nullopt)});
    CHECK(all.changes[0] == Lines{"remove \"socket\" from syscalls[0], which denies it"});
}

TEST_CASE("an ABI that the profile does not cover gets its architecture") {
    const Need write32 = need("write", Arguments{}, Abi::i386);
    const Fixed listed = fixed(profile(some_sockets), {write32});
    CHECK(listed.changes[0] ==
          Lines{"add the architecture SCMP_ARCH_X86", "add \"write\" to a rule that allows it"});
    CHECK(listed.profile.architectures == Lines{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"});
    Profile unlisted = profile(some_sockets);
    unlisted.architectures.clear();
    CHECK(fixed(unlisted, {write32}).profile.architectures == Lines{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"});
    unlisted.arch_map = {{"SCMP_ARCH_AARCH64", {"SCMP_ARCH_ARM"}}};
    const Fixed mapped = fixed(unlisted, {write32});
    CHECK(mapped.profile.architectures.empty());
    CHECK(mapped.profile.arch_map ==
          std::vector<ArchitectureFamily>{{"SCMP_ARCH_AARCH64", {"SCMP_ARCH_ARM"}},
                                          {"SCMP_ARCH_X86_64", {"SCMP_ARCH_X86"}}});
    CHECK(lets(mapped.profile, write32));
}

TEST_CASE("what no profile can express is said to be so, and nothing is changed for it") {
    Profile before = profile(some_sockets);
    const Need nameless{{Abi::i386, 9999}, Arguments{}, ""};
    const Fixed after = fixed(before, {need("write"), nameless});
    CHECK(after.impossible == std::vector<std::size_t>{1});
    CHECK(after.changes[1].empty());
    CHECK(after.profile.architectures == before.architectures);
    before.architectures.clear();
    before.arch_map = {{"SCMP_ARCH_X86_64", {}}};
    CHECK(fixed(before, {need("write", Arguments{}, Abi::aarch64)}).impossible ==
          std::vector<std::size_t>{0});
}

TEST_CASE("rules for other machines and containers are left alone") {
    const Profile before = profile(
        R"({"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
           {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
            "excludes": {"caps": ["CAP_SYS_ADMIN"]}})");
    const Fixed after = fixed(before, {need("mount"), need("clone3")});
    CHECK(after.profile.rules == std::vector<Rule>{before.rules[0], new_rule({"clone3", "mount"})});
    Machine admin = machine();
    admin.caps.insert("CAP_SYS_ADMIN");
    CHECK(fixed(before, {need("mount")}, admin).profile == before);
    const Fixed other = fixed(before, {need("clone3")}, admin);
    CHECK(other.profile.rules == std::vector<Rule>{before.rules[0], before.rules[1], new_rule({"clone3"})});
}

TEST_CASE("of a multiplexer only the job that is needed is allowed") {
    Profile before = profile(some_sockets);
    before.architectures.emplace_back("SCMP_ARCH_X86");
    const Fixed after = fixed(before, {need("socketcall", Arguments{1}, Abi::i386),
                                       need("socketcall", Arguments{3, 9}, Abi::i386)});
    CHECK(after.changes == std::vector<Lines>{{}, {"allow socketcall where arg0 == 3"}});
    before.default_action = Action::allow;
    before.rules = {};
    Rule deny;
    deny.names = {"bind", "connect", "read"};
    deny.action = Action::errno_;
    before.rules.push_back(deny);
    const Fixed removed = fixed(before, {need("socketcall", Arguments{3, 9}, Abi::i386)});
    CHECK(removed.changes[0] == Lines{"remove \"connect\" from syscalls[0], which denies it"});
    CHECK(fixed(before, {need("socketcall", std::nullopt, Abi::i386)}).profile.rules[0].names ==
          Lines{"read"});
}

namespace {

struct Asked {
    Abi abi;
    std::string name;
    Arguments arguments;
};

std::uint32_t ask(const CompiledFilter& filter, const Asked& what) {
    seccomp_data data{};
    data.arch = info(what.abi).audit_arch;
    data.nr = static_cast<int>(*syscall_number(what.abi, what.name));
    // The kernel has no more of them on i386.
    std::transform(what.arguments.begin(), what.arguments.end(), data.args, [&](std::uint64_t argument) {
        return argument & largest_argument(argument_width(what.abi));
    });
    const auto answer = evaluate(filter.code, data);
    if (!answer) FAIL("the filter is none");
    return *answer;
}

bool lets(std::uint32_t answer) { return answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_LOG; }

// Whether a call may be let through for the need's sake, and how narrowly: 0 not at all, 1 since it is the
// same by what the rules look at, 2 since no rule could tell.
int justified(const Profile& before, const Need& need, const Asked& what) {
    const std::string needed = syscall_name(need.call);
    if (const auto by = multiplexed(what.abi, needed);
        by && by->call == what.name && by->selector == (what.arguments[0] & 0xffffffff))
        return 1;
    if (needed != what.name) return 0;
    if (!need.arguments) return 2;
    std::set<std::uint32_t> indexes;
    if (needed == "socketcall" || needed == "ipc") indexes.insert(0);
    for (const Rule& rule : before.rules) {
        if (decision_of(rule) == default_decision(before)) continue;
        if (rule.speaks_of(needed)) {
            // It could not be kept, nor a conditional one stand beside it.
            if (rule.args.empty()) return 2;
            for (const ArgumentCondition& condition : rule.args) indexes.insert(condition.index);
        }
        for (const std::string& name : rule.names)
            if (const auto by = multiplexed(need.call.abi, name); by && by->call == needed)
                for (const ArgumentCondition& condition : rule.args) indexes.insert(condition.index);
    }
    if (indexes.empty()) return 2;
    const std::uint64_t mask =
        largest_argument(std::min(argument_width(need.call.abi), argument_width(what.abi)));
    return std::all_of(indexes.begin(), indexes.end(),
                       [&](std::uint32_t index) {
                           return (need.arguments->at(index) & mask) == (what.arguments.at(index) & mask);
                       })
               ? 1
               : 0;
}

}  // namespace

// By the filters of both profiles: for random profiles and needs.
TEST_CASE("a fixed profile lets through what is needed, and otherwise what it did") {
    static const std::vector<std::string> calls{"read",  "clone", "socket", "socketcall", "statx",
                                                "mseal", "semop", "write",  "ipc"};
    RandomProfiles random(20261123);
    int by_arguments = 0, by_name = 0, as_before = 0, needed_nothing = 0, denied_less = 0, too_long = 0;
    const auto random_call = [&](bool large) {
        while (true) {
            const Abi abi = random.below(2) == 0 ? Abi::x86_64 : Abi::i386;
            const std::string& name = calls[random.below(static_cast<unsigned>(calls.size()))];
            if (syscall_number(abi, name)) return Asked{abi, name, random.arguments(large)};
        }
    };
    for (int round = 0; round < rounds; ++round) {
        RandomProfiles::Wishes wishes;
        wishes.large_constants = round % 2 == 0;
        wishes.contexts = round % 3 == 0;
        if (round % 4 != 0) wishes.architectures.emplace_back("SCMP_ARCH_X86");
        Profile before = random.profile(wishes);
        const bool allows_by_default = round % 5 == 0;
        if (allows_by_default) before.default_action = Action::allow;
        const auto filter_before = compile(before, machine());
        // Where libseccomp looks at no call of an ABI any fix may make it do so.
        if (!filter_before || !abis_never_looked_at(before, machine(), Abi::x86_64).empty()) continue;
        std::vector<Need> needs;
        for (unsigned i = 1 + random.below(4); i > 0; --i) {
            const Asked what = random_call(wishes.large_constants);
            needs.push_back(need(what.name, what.arguments, what.abi));
            if (random.below(6) == 0) needs.back().arguments.reset();
        }
        INFO("round " << round);
        const Fixed after = fixed(before, needs);
        CHECK(after.impossible.empty());
        const auto filter = compile(after.profile, machine());
        if (!filter) {
            // Or, as runtimes would see: for socket() libseccomp makes a rule of i386's socketcall as well,
            // for want of its arguments the same one for each, and refuses a second action.
            const std::string why = filter.error().text();
            INFO(why);
            CHECK((why.find("instructions") != std::string::npos ||
                   why.find("contradicts an earlier one") != std::string::npos));
            ++too_long;
            continue;
        }
        if (!abis_never_looked_at(after.profile, machine(), Abi::x86_64).empty()) continue;
        // Where libseccomp compiles rules wrong nothing can be said of the filter.
        std::set<std::string> wrong = calls_compiled_wrong(before, machine(), Abi::x86_64);
        wrong.merge(calls_compiled_wrong(after.profile, machine(), Abi::x86_64));
        for (std::size_t i = 0; i < needs.size(); ++i) {
            const Need& need = needs[i];
            if (wrong.count(syscall_name(need.call)) != 0) continue;
            for (int sample = need.arguments ? 7 : 0; sample < 8; ++sample) {
                const Asked what{need.call.abi, syscall_name(need.call),
                                 need.arguments ? *need.arguments : random.arguments(true)};
                INFO(what.name << " on " << info(what.abi).id);
                CHECK(lets(ask(*filter, what)));
            }
            if (after.changes[i].empty()) ++needed_nothing;
        }
        const std::set<Abi> covered = abis_of(before, Abi::x86_64);
        const Profile here = resolve(before, machine());
        for (int sample = 0; sample < 60; ++sample) {
            Asked what = random_call(wishes.large_constants);
            if (covered.count(what.abi) == 0 || wrong.count(what.name) != 0) continue;
            const std::uint32_t was = ask(*filter_before, what);
            const std::uint32_t is = ask(*filter, what);
            int why = 0;
            for (std::size_t i = 0; i < needs.size(); ++i) {
                why = std::max(why, justified(here, needs[i], what));
                // Whatever the arguments, where libseccomp would compile narrower rules wrong.
                const bool by_name_alone =
                    std::find(after.changes[i].begin(), after.changes[i].end(),
                              "add \"" + what.name + "\" to a rule that allows it") != after.changes[i].end();
                if (by_name_alone) why = 2;
            }
            INFO(what.name << " on " << info(what.abi).id << " with " << what.arguments[0] << ", "
                           << what.arguments[1] << ", " << what.arguments[2]);
            const bool spoken_of = std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
                const auto by = multiplexed(what.abi, syscall_name(need.call));
                const auto of = multiplexed(need.call.abi, what.name);
                return syscall_name(need.call) == what.name || (by && by->call == what.name) ||
                       (of && of->call == syscall_name(need.call));
            });
            if (!spoken_of) {
                ++as_before;
                // A multiplexed call may be denied otherwise: what multiplexes it was denied with it.
                if (multiplexed(what.abi, what.name))
                    CHECK(lets(is) == lets(was));
                else
                    CHECK(is == was);
            } else if (lets(was)) {
                CHECK(lets(is));
            } else if (lets(is)) {
                if (allows_by_default)
                    ++denied_less;
                else
                    CHECK(why > 0);
                ++(why == 1 ? by_arguments : by_name);
            }
        }
        // Once is enough.
        CHECK(fixed(after.profile, needs).profile == after.profile);
    }
    INFO(by_arguments << ' ' << by_name << ' ' << as_before << ' ' << needed_nothing << ' ' << denied_less);
    CHECK(too_long <= rounds / 40);
    CHECK(by_arguments > rounds / 10);
    CHECK(by_name > rounds / 10);
    CHECK(as_before > 10 * rounds);
    CHECK(needed_nothing > rounds / 10);
    CHECK(denied_less > rounds / 20);
}

}  // namespace fix_test
