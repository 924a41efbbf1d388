#include "callcensus/explain.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/explain_report.hpp"
#include "profiles.hpp"
#include "random_profiles.hpp"

namespace explain_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

std::vector<Reading> explained(const Profile& profile, const std::string& call,
                               const KnownArguments& arguments = {}, Abi abi = Abi::x86_64) {
    auto readings = explain(profile, machine(), abi, call, arguments);
    if (!readings) FAIL(readings.error().text());
    return *readings;
}

Reading only_reading(const Profile& profile, const std::string& call, const KnownArguments& arguments = {},
                     Abi abi = Abi::x86_64) {
    const auto readings = explained(profile, call, arguments, abi);
    REQUIRE(readings.size() == 1);
    CHECK(readings.front().readers ==
          std::vector<std::string>{"podman", "docker", "runc", "crun", "containerd"});
    return readings.front();
}

std::vector<std::size_t> rules(const Reading& reading) {
    std::vector<std::size_t> indexes;
    for (const Reason& reason : reading.reasons) indexes.push_back(reason.rule);
    return indexes;
}

const Decision allowed{Action::allow, 0};
const Decision denied{Action::errno_, ENOSYS};

constexpr const char* by_arguments = R"(
    {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
     "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 3, "op": "SCMP_CMP_GE"}]})";

}  // namespace

TEST_CASE("a call is explained by the rule that decides it, or by the default") {
    const Profile policy = profile(by_arguments);
    const Reading read = only_reading(policy, "read");
    CHECK(read.decision == allowed);
    CHECK(rules(read) == std::vector<std::size_t>{0});
    CHECK_FALSE(read.default_decides);
    const Reading write = only_reading(policy, "write");
    CHECK(write.decision == denied);
    CHECK(write.reasons.empty());
    CHECK(write.default_decides);
    CHECK(only_reading(policy, "0").decision == allowed);
    CHECK(only_reading(policy, "9999").decision == denied);
}

TEST_CASE("known arguments settle what depends on them") {
    const Profile policy = profile(by_arguments);
    const Reading unknown = only_reading(policy, "socket");
    CHECK_FALSE(unknown.decision);
    CHECK(rules(unknown) == std::vector<std::size_t>{1, 2});
    CHECK(unknown.default_decides);
    const Reading unix_socket = only_reading(policy, "socket", {1});
    CHECK(unix_socket.decision == allowed);
    CHECK(rules(unix_socket) == std::vector<std::size_t>{1});
    CHECK_FALSE(unix_socket.default_decides);
    const Reading half = only_reading(policy, "socket", {2});
    CHECK_FALSE(half.decision);
    CHECK(rules(half) == std::vector<std::size_t>{2});
    CHECK(half.default_decides);
    CHECK(only_reading(policy, "socket", {2, 3}).decision == Decision{Action::errno_, EACCES});
    CHECK(only_reading(policy, "socket", {2, 2}).decision == denied);
    CHECK(only_reading(policy, "socket", {std::nullopt, 2}).decision == std::nullopt);
    CHECK(only_reading(policy, "socket", {7}).decision == denied);
}

TEST_CASE("an unconditional rule decides wherever it stands") {
    const Profile policy = profile(R"({"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
                    "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
                   {"names": ["socket"], "action": "SCMP_ACT_ERRNO"},
                   {"names": ["socket"], "action": "SCMP_ACT_ALLOW"})");
    // The second one repeats neither the default (another errno) nor a condition.
    const Reading reading = only_reading(policy, "socket", {2});
    CHECK(reading.decision == Decision{Action::errno_, EPERM});
    CHECK(rules(reading) == std::vector<std::size_t>{1});
}

TEST_CASE("what only docker and podman understand is read otherwise by the runtimes") {
    const Profile policy = profile(
        R"({"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
           {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EACCES"},
           {"name": "sync", "action": "SCMP_ACT_ALLOW"})");
    const auto mount = explained(policy, "mount");
    REQUIRE(mount.size() == 2);
    CHECK(mount[0].readers == std::vector<std::string>{"podman", "docker"});
    CHECK(mount[0].decision == denied);
    CHECK(mount[1].readers == std::vector<std::string>{"runc", "crun", "containerd"});
    CHECK(mount[1].decision == allowed);
    CHECK(rules(mount[1]) == std::vector<std::size_t>{0});
    const auto chroot = explained(policy, "chroot");
    REQUIRE(chroot.size() == 2);
    CHECK(chroot[0].readers == std::vector<std::string>{"podman"});
    CHECK(chroot[0].decision == Decision{Action::errno_, EACCES});
    CHECK(chroot[1].decision == Decision{Action::errno_, EPERM});
    const auto sync = explained(policy, "sync");
    REQUIRE(sync.size() == 2);
    CHECK(sync[0].decision == allowed);
    CHECK(sync[1].decision == denied);

    Machine admin = machine();
    admin.caps.insert("CAP_SYS_ADMIN");
    const auto with_capability = explain(policy, admin, Abi::x86_64, "mount", {});
    REQUIRE(with_capability);
    CHECK(with_capability->size() == 1);
}

TEST_CASE("a multiplexer is decided by the rules for what it does") {
    Profile policy = profile(by_arguments);
    policy.architectures.emplace_back("SCMP_ARCH_X86");
    const Reading reading = only_reading(policy, "socketcall", {1}, Abi::i386);
    // Their conditions on socket()'s first argument are none on socketcall()'s, which is the selector.
    CHECK(reading.decision == allowed);
    CHECK(rules(reading) == std::vector<std::size_t>{1});
    const Reading bind = only_reading(policy, "socketcall", {2}, Abi::i386);
    CHECK(bind.decision == denied);
    CHECK(bind.reasons.empty());
}

TEST_CASE("a call of an ABI that the profile is not for kills the thread") {
    const Reading reading = only_reading(profile(by_arguments), "read", {}, Abi::i386);
    CHECK_FALSE(reading.covered);
    CHECK(reading.decision == Decision{Action::kill_thread, 0});
}

TEST_CASE("what is no call is said to be none") {
    const auto misspelt = explain(profile(by_arguments), machine(), Abi::x86_64, "soket", {});
    REQUIRE_FALSE(misspelt);
    CHECK(misspelt.error().text() == "there is no call \"soket\" on x86_64; is \"socket\" meant?");
    CHECK_FALSE(explain(profile(by_arguments), machine(), Abi::x86_64, "socketcall", {}));
    CHECK_FALSE(explain(profile(by_arguments), machine(), Abi::x86_64, "", {}));
}

// The rule that is named makes the decision, and the decision is the filter's: for random profiles, with all
// arguments known.
TEST_CASE("explanations agree with the compiled filter") {
    RandomProfiles random(20261122);
    std::size_t by_rule = 0;
    for (int round = 0; round < 60; ++round) {
        RandomProfiles::Wishes wishes;
        wishes.large_constants = round % 2 == 0;
        const Profile policy = random.profile(wishes);
        const auto filter = compile(policy, machine());
        if (!filter) continue;
        for (const std::string name : {"read", "socket", "clone", "statx", "mseal", "semop"}) {
            for (int sample = 0; sample < 8; ++sample) {
                KnownArguments known;
                seccomp_data data{};
                data.nr = static_cast<int>(*syscall_number(Abi::x86_64, name));
                data.arch = AUDIT_ARCH_X86_64;
                const Arguments arguments = random.arguments(wishes.large_constants);
                for (std::size_t i = 0; i < known.size(); ++i) known.at(i) = data.args[i] = arguments.at(i);
                const auto readings = explain(policy, machine(), Abi::x86_64, name, known);
                REQUIRE(readings);
                const Reading& reading = readings->front();
                INFO(name << " in round " << round);
                REQUIRE(reading.decision);
                const auto answer = evaluate(filter->code, data);
                REQUIRE(answer);
                CHECK(lets_through(reading.decision->action) ==
                      (*answer == SECCOMP_RET_ALLOW || *answer == SECCOMP_RET_LOG));
                if (reading.reasons.empty()) {
                    CHECK(reading.default_decides);
                    CHECK(*reading.decision == default_decision(policy));
                } else {
                    ++by_rule;
                    CHECK(*reading.decision == reading.reasons.front().decision);
                }
            }
        }
    }
    CHECK(by_rule > 100);
}

TEST_CASE("a report says where the rule stands") {
    const std::string json = R"({"defaultAction": "SCMP_ACT_ERRNO",
 "syscalls": [
  {"names": ["read"], "action": "SCMP_ACT_ALLOW", "comment": "why"}
 ]})";
    const Profile policy = parse(json);
    const auto text = read_leniently(json, "p.json");
    REQUIRE(text);
    ExplainReport report{"p.json", policy, &*text, {{{Abi::x86_64, 0}, explained(policy, "read")}}};
    CHECK(explain_text(report) == "read on x86_64: allowed\n  p.json:3:3: syscalls[0]: allowed (why)\n");
    report.explanations = {{{Abi::x86_64, 1}, explained(policy, "write")}};
    CHECK(explain_text(report) ==
          "write on x86_64: denied with EPERM\n  p.json:1:19: defaultAction: denied with EPERM\n");
    report.text = nullptr;
    CHECK(explain_text(report) ==
          "write on x86_64: denied with EPERM\n  p.json: defaultAction: denied with EPERM\n");
    CHECK(explain_json(report).find("\"allowed\": false") != std::string::npos);
}

}  // namespace explain_test
