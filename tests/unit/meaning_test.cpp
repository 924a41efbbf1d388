#include "callcensus/meaning.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <map>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/merge.hpp"
#include "catch.hpp"
#include "meaning/loading.hpp"
#include "random_profiles.hpp"

namespace meaning_test {

using namespace callcensus;

namespace {

// Sanitizers take fifteen times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr int rounds = 120;
#else
constexpr int rounds = 600;
#endif

std::uint32_t answer_of(const Decision& decision) {
    switch (decision.action) {
        case Action::allow:
            return SECCOMP_RET_ALLOW;
        case Action::errno_:
            return SECCOMP_RET_ERRNO | decision.value;
        case Action::log:
            return SECCOMP_RET_LOG;
        case Action::kill_process:
            return SECCOMP_RET_KILL_PROCESS;
        default:
            return SECCOMP_RET_KILL_THREAD;
    }
}

std::uint32_t ask(const CompiledFilter& filter, Syscall call, const Arguments& arguments) {
    seccomp_data data{};
    data.arch = info(call.abi).audit_arch;
    data.nr = static_cast<int>(call.number);
    std::copy(arguments.begin(), arguments.end(), data.args);
    const auto answer = evaluate(filter.code, data);
    if (!answer) FAIL("the filter is none");
    return *answer;
}

Machine docker_machine() { return {"amd64", docker_default_capabilities(), {6, 1}}; }

Profile profile_of(std::vector<Rule> rules) {
    Profile profile;
    profile.default_errno_ret = 38;
    profile.architectures = {"SCMP_ARCH_X86_64"};
    profile.rules = std::move(rules);
    return profile;
}

Rule allow(std::vector<std::string> names, std::vector<ArgumentCondition> args = {}) {
    Rule rule;
    rule.names = std::move(names);
    rule.args = std::move(args);
    return rule;
}

Rule deny(std::vector<std::string> names, std::vector<ArgumentCondition> args = {}) {
    Rule rule = allow(std::move(names), std::move(args));
    rule.action = Action::errno_;
    rule.errno_ret = 5;
    return rule;
}

const std::vector<std::string> calls_to_ask{"read",  "clone", "socket", "socketcall", "statx",
                                            "mseal", "write", "semop",  "ipc"};
// All that libseccomp or callcensus can name.
const std::vector<std::string>& names_of(Abi abi) {
    static std::map<Abi, std::vector<std::string>> known;
    std::vector<std::string>& names = known[abi];
    if (!names.empty()) return names;
    for (std::uint32_t number = 0; number < 600; ++number) {
        const std::string name = syscall_name({abi, info(abi).number_base + number});
        if (!name.empty()) names.push_back(name);
    }
    return names;
}

const Decision allowed{Action::allow, 0};
const Decision refused{Action::errno_, 5};
const Decision unknown_call{Action::errno_, 38};

}  // namespace

TEST_CASE("rules that contradict each other are read as runtimes read them") {
    const auto decide = [](const Profile& profile, Arguments arguments) {
        return meaning_of(profile, docker_machine())->decide(Abi::x86_64, "read", arguments);
    };
    const ArgumentCondition one{0, 1, 0, Comparison::eq};
    CHECK(decide(profile_of({allow({"read"}), deny({"read"})}), {}) == allowed);
    CHECK(decide(profile_of({deny({"read"}), allow({"read"})}), {}) == refused);
    // Without conditions beats with, wherever it stands.
    CHECK(decide(profile_of({deny({"read"}, {one}), allow({"read"})}), {1}) == allowed);
    CHECK(decide(profile_of({allow({"read"}, {one}), deny({"read"})}), {1}) == refused);
    CHECK(decide(profile_of({allow({"read"}, {one})}), {1}) == allowed);
    CHECK(decide(profile_of({allow({"read"}, {one})}), {2}) == unknown_call);
    // A rule that repeats the default is dropped and does not come first.
    Rule same_as_default = deny({"read"});
    same_as_default.errno_ret = 38;
    CHECK(decide(profile_of({same_as_default, allow({"read"}, {one})}), {1}) == allowed);
    CHECK(meaning_of(profile_of({}), docker_machine())->decide(Abi::i386, "read", {}).action ==
          Action::kill_thread);
}

TEST_CASE("errno names override numbers, and no number means EPERM") {
    Profile profile = profile_of({deny({"read"})});
    profile.default_errno_ret.reset();
    profile.rules.front().errno_name = "ENOENT";
    const auto meaning = meaning_of(profile, docker_machine());
    CHECK(meaning->decide(Abi::x86_64, "read", {}) == Decision{Action::errno_, 2});
    CHECK(meaning->decide(Abi::x86_64, "write", {}) == Decision{Action::errno_, 1});
    profile.default_errno_name = "ENOSYS";
    CHECK(default_decision(profile) == unknown_call);
}

TEST_CASE("includes and excludes are resolved for a machine") {
    Rule rule = allow({"read"});
    rule.includes.caps = {"CAP_SYS_ADMIN", "CAP_CHOWN"};
    Machine machine = docker_machine();
    CHECK_FALSE(applies(rule, machine));
    machine.caps.insert("CAP_SYS_ADMIN");
    CHECK(applies(rule, machine));
    rule.excludes.caps = {"CAP_BPF", "CAP_CHOWN"};
    CHECK_FALSE(applies(rule, machine));
    rule.excludes.caps = {"CAP_BPF"};
    rule.includes.arches = {"arm64", "amd64"};
    CHECK(applies(rule, machine));
    rule.excludes.arches = {"amd64"};
    CHECK_FALSE(applies(rule, machine));
    rule.excludes.arches.clear();
    rule.includes.min_kernel = "6.2";
    CHECK_FALSE(applies(rule, machine));
    rule.includes.min_kernel = "6.1";
    CHECK(applies(rule, machine));
    rule.excludes.min_kernel = "4.20";
    CHECK_FALSE(applies(rule, machine));
}

TEST_CASE("a socket call is allowed through socketcall as well where an ABI has that") {
    Profile profile = profile_of({allow({"socket"})});
    profile.architectures.push_back("SCMP_ARCH_X86");
    const auto meaning = meaning_of(profile, docker_machine());
    CHECK(meaning->decide(Abi::i386, "socketcall", {1}) == allowed);
    CHECK(meaning->decide(Abi::i386, "socketcall", {2}) == unknown_call);
    CHECK(meaning->decide(Abi::i386, "socket", {2}) == allowed);
}

TEST_CASE("a call that an ABI has through a multiplexer only is allowed by its filter") {
    Profile profile = profile_of({allow({"read", "accept", "semop"})});
    profile.architectures.push_back("SCMP_ARCH_X86");
    const auto filter = compile(profile, docker_machine());
    REQUIRE(filter);
    CHECK(ask(*filter, {Abi::i386, 102}, {5}) == SECCOMP_RET_ALLOW);
    CHECK(ask(*filter, {Abi::i386, 102}, {4}) == (SECCOMP_RET_ERRNO | 38));
    CHECK(ask(*filter, {Abi::i386, 117}, {1}) == SECCOMP_RET_ALLOW);
    CHECK(ask(*filter, {Abi::i386, 117}, {2}) == (SECCOMP_RET_ERRNO | 38));
}

TEST_CASE("the compiled filter decides as the profile means") {
    testing::RandomProfiles random(2);
    testing::RandomProfiles::Wishes wishes;
    wishes.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
    wishes.contexts = true;
    int compiled_profiles = 0;
    int asked = 0;  // assertions about each would take most of the time
    for (int round = 0; round < 300; ++round) {
        wishes.large_constants = round % 2 == 0;
        const Profile profile = random.profile(wishes);
        const auto meaning = meaning_of(profile, docker_machine());
        REQUIRE(meaning);
        const auto filter = compile(profile, docker_machine());
        if (!filter) continue;  // rules that contradict each other
        ++compiled_profiles;
        const auto wrong = calls_compiled_wrong(profile, docker_machine(), Abi::x86_64);
        for (const auto& [abi, calls] : meaning->calls)
            for (const std::string& name : calls_to_ask) {
                const auto number = syscall_number(abi, name);
                if (!number || wrong.count(name) != 0) continue;
                for (int sample = 0; sample < 12; ++sample) {
                    // Of 64 bits also where the ABI has 32, as the kernel shows them to a filter.
                    const Arguments arguments = random.arguments(true);
                    const std::uint32_t answer = ask(*filter, {abi, *number}, arguments);
                    ++asked;
                    if (answer == answer_of(meaning->decide(abi, name, arguments))) continue;
                    CAPTURE(info(abi).id, name, arguments[0], arguments[1], arguments[2], round);
                    REQUIRE(answer == answer_of(meaning->decide(abi, name, arguments)));
                }
            }
    }
    CHECK(compiled_profiles > 250);
    CHECK(asked > 50'000);
}

TEST_CASE("a merged profile's filter lets through the union, intersection or difference") {
    testing::RandomProfiles random(3);
    testing::RandomProfiles::Wishes wishes;
    int asked = 0;
    int exact = 0;
    int with_arguments = 0;
    int compiled = 0;
    const std::vector<std::vector<std::string>> architectures{
        {"SCMP_ARCH_X86_64"},
        {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"},
        {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"},
        {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}};
    for (int round = 0; round < rounds; ++round) {
        wishes.contexts = round % 3 == 0;
        wishes.large_constants = round % 5 == 0;
        wishes.architectures = architectures[static_cast<std::size_t>(round) % architectures.size()];
        const std::vector<NamedProfile> inputs{{"a", random.profile(wishes)}, {"b", random.profile(wishes)}};
        const auto kind = static_cast<MergeKind>(random.below(3));
        const auto merged = merge(inputs, kind, docker_machine());
        REQUIRE(merged);
        exact += merged->warnings.empty();
        for (const Rule& rule : merged->profile.rules) with_arguments += !rule.args.empty();
        Machine machine = docker_machine();
        if (random.below(2) == 0) machine.caps.insert("CAP_SYS_ADMIN");
        if (random.below(2) == 0) machine.kernel = {4, 20};
        const auto before_a = meaning_of(inputs[0].profile, machine);
        const auto before_b = meaning_of(inputs[1].profile, machine);
        const auto filter = compile(merged->profile, machine);
        REQUIRE(before_a);
        REQUIRE(before_b);
        if (!filter) continue;  // longer than the kernel takes
        ++compiled;
        const auto wrong = calls_compiled_wrong(merged->profile, machine, Abi::x86_64);
        // Where libseccomp's filter looks at no call, of an input or of the result.
        std::set<Abi> blind = abis_never_looked_at(merged->profile, machine, Abi::x86_64);
        for (const NamedProfile& input : inputs)
            blind.merge(abis_never_looked_at(input.profile, machine, Abi::x86_64));
        for (const auto& [abi, calls] : before_a->calls)
            // Every call of the ABI now and then, and always those that the profiles are about.
            for (const std::string& name : round % 20 < 4 ? names_of(abi) : calls_to_ask) {
                const auto number = syscall_number(abi, name);
                if (!number || wrong.count(name) != 0) continue;
                for (int sample = 0; sample < 20; ++sample) {
                    const Arguments arguments = random.arguments(true);
                    const bool a = lets_through(before_a->decide(abi, name, arguments).action);
                    const bool b = lets_through(before_b->decide(abi, name, arguments).action);
                    const bool wanted = kind == MergeKind::unite       ? a || b
                                        : kind == MergeKind::intersect ? a && b
                                                                       : a && !b;
                    const std::uint32_t answer = ask(*filter, {abi, *number}, arguments);
                    const bool got = answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_LOG;
                    ++asked;
                    if (got == wanted) continue;
                    CAPTURE(info(abi).id, name, arguments[0], arguments[1], arguments[2], round, int(kind));
                    const bool never_looked_at = std::any_of(
                        merged->warnings.begin(), merged->warnings.end(), [&](const std::string& line) {
                            return line.find("all calls of " + std::string(info(abi).id) + " by default") !=
                                   std::string::npos;
                        });
                    if (never_looked_at || blind.count(abi) != 0) continue;
                    // Only with a warning, and then wider for a union and narrower otherwise; what
                    // multiplexes either way.
                    const bool warned =
                        std::any_of(merged->warnings.begin(), merged->warnings.end(),
                                    [&](const std::string& line) { return line.find(name + " is") == 0; });
                    REQUIRE(warned);
                    const bool multiplexer = name == "socketcall" || name == "ipc";
                    REQUIRE((multiplexer || got == (kind == MergeKind::unite)));
                }
            }
    }
    CHECK(asked > rounds * 800);
    CHECK(compiled > rounds - rounds / 10);
    CHECK(exact > rounds / 3);
    CHECK(with_arguments > rounds / 2);
}

}  // namespace meaning_test
