#include "callcensus/verify.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>

#include "callcensus/verify_findings.hpp"
#include "meaning/loading.hpp"
#include "profiles.hpp"
#include "random_profiles.hpp"

namespace verify_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

const Decision allowed{Action::allow, 0};
const Decision denied{Action::errno_, ENOSYS};

PolicyInForce in_force(const Profile& profile) {
    auto policy = put_in_force(profile, machine());
    if (!policy) FAIL(policy.error().text());
    return *policy;
}

Syscall call(std::string_view name, Abi abi = Abi::x86_64) {
    return {abi, syscall_number(abi, name).value()};
}

constexpr const char* sockets = R"(
    {"names": ["read", "prctl"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["getpid"], "action": "SCMP_ACT_LOG"},
    {"names": ["gettid"], "action": "SCMP_ACT_NOTIFY"},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_KILL_PROCESS",
     "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 6, "op": "SCMP_CMP_EQ"}]})";

// Of two executables in two processes.
Recording recorded(const std::vector<std::string>& names) {
    Recording recording;
    recording.engine = "ptrace";
    recording.executables = {"/bin/one", "/bin/two"};
    recording.processes = {{7, std::nullopt, Milliseconds(0), {0}, 1, ExitStatus{0, 0}},
                           {8, 0, Milliseconds(1), {1}, 1, ExitStatus{0, 0}}};
    for (const std::string& name : names) {
        CallRecord record;
        record.call = call(name);
        record.count = 5;
        record.first = {Milliseconds(3), 1, 1};
        record.by_executable = {{0, 2}, {1, 3}};
        recording.calls.push_back(record);
    }
    std::sort(recording.calls.begin(), recording.calls.end(),
              [](const CallRecord& a, const CallRecord& b) { return a.call < b.call; });
    return recording;
}

std::set<std::string> names_of(const std::vector<Denial>& denials) {
    std::set<std::string> names;
    for (const Denial& denial : denials) names.insert(syscall_name(denial.call));
    return names;
}

}  // namespace

TEST_CASE("a profile in force lets through what its filter lets through") {
    const PolicyInForce policy = in_force(profile(sockets));
    CHECK(policy.losses.empty());
    CHECK(policy.filter_flags == 0);
    CHECK(policy.let_through.contains(call("read")));
    CHECK(policy.let_through.contains(call("getpid")));
    CHECK_FALSE(policy.let_through.contains(call("gettid")));
    CHECK_FALSE(policy.let_through.contains(call("socket")));
    CHECK_FALSE(policy.let_through.contains(call("read", Abi::i386)));
    CHECK(policy.looks_at.at(call("socket")) == std::set<std::uint32_t>{0, 2});
    CHECK(policy.let_through_if.at(call("socket")).contains({1, 9, 9}));
    CHECK_FALSE(policy.let_through_if.at(call("socket")).contains({2, 9, 9}));

    CHECK(policy.decide(call("read"), {}) == allowed);
    CHECK(policy.decide(call("getpid"), {}) == Decision{Action::log, 0});
    CHECK(policy.decide(call("gettid"), {}) == Decision{Action::notify, 0});
    CHECK(policy.decide(call("mount"), {}) == denied);
    CHECK(policy.decide(call("socket"), {2, 0, 6}) == Decision{Action::kill_process, 0});
    CHECK(policy.decide(call("socket"), {2, 0, 7}) == denied);
    CHECK(policy.decide(call("read", Abi::i386), {}) == Decision{Action::kill_thread, 0});

    CHECK(policy.decide(call("read")) == allowed);
    CHECK(policy.decide(call("mount")) == denied);
    CHECK_FALSE(policy.decide(call("socket")).has_value());
}

TEST_CASE("a profile whose default lets through lets through all calls with a name") {
    const PolicyInForce policy = in_force(parse(R"({"defaultAction": "SCMP_ACT_LOG", "syscalls": [
        {"names": ["mount"], "action": "SCMP_ACT_TRAP"},
        {"names": ["clone"], "action": "SCMP_ACT_TRACE",
         "args": [{"index": 0, "value": 4, "op": "SCMP_CMP_MASKED_EQ", "valueTwo": 4}]}]})"));
    for (const std::string& name : all_syscall_names()) {
        if (!syscall_number(Abi::x86_64, name)) continue;
        INFO(name);
        CHECK(policy.let_through.contains(call(name)) == (name != "mount" && name != "clone"));
    }
    CHECK(policy.decide(call("mount")) == Decision{Action::trap, 0});
    CHECK(policy.decide({Abi::x86_64, 5000}, {}) == Decision{Action::log, 0});
    CHECK(policy.let_through_if.at(call("clone")).contains({3}));
    CHECK_FALSE(policy.let_through_if.at(call("clone")).contains({7}));
}

TEST_CASE("for random profiles what is let through beforehand is what is decided call by call") {
    RandomProfiles random(20);
    const std::vector<std::string> names{"read",  "clone", "socket", "socketcall", "statx",
                                         "mseal", "semop", "ipc",    "write",      "personality"};
    std::size_t conditional = 0;
    int in_force_at_all = 0;
    for (int round = 0; round < 150; ++round) {
        const bool large = round % 3 == 0;
        const Profile some = random.profile(
            {.large_constants = large,
             .contexts = round % 2 == 0,
             .architectures = round % 2 == 0 ? std::vector<std::string>{"SCMP_ARCH_X86_64"}
                                             : std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
                                                                        "SCMP_ARCH_X32"}});
        const auto taken = put_in_force(some, machine());
        if (!taken) continue;  // rules that contradict each other
        const PolicyInForce& policy = *taken;
        ++in_force_at_all;
        const auto wrong = calls_compiled_wrong(some, machine(), Abi::x86_64);
        for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
            for (const std::string& name : names) {
                const auto number = syscall_number(abi, name);
                if (!number) continue;
                const Syscall one{abi, *number};
                const auto always = policy.decide(one);
                const auto indexes = policy.looks_at.find(one);
                for (int i = 0; i < 40; ++i) {
                    Arguments arguments =
                        random.arguments(large && argument_width(abi) == ArgumentWidth::bits64);
                    const Decision decision = policy.decide(one, arguments);
                    INFO("round " << round << ", " << name << " on " << info(abi).id << ", " << arguments[0]
                                  << ' ' << arguments[1] << ' ' << arguments[2]);
                    const auto if_ = policy.let_through_if.find(one);
                    const bool foreseen =
                        policy.let_through.contains(one) ||
                        (if_ != policy.let_through_if.end() && if_->second.contains(arguments));
                    // Of what libseccomp compiles wrong nothing is foreseen: the filter is asked each time.
                    CHECK(foreseen == (lets_through(decision.action) && wrong.count(name) == 0));
                    CHECK(always.has_value() == (indexes == policy.looks_at.end()));
                    if (always) CHECK(*always == decision);
                    if (indexes == policy.looks_at.end()) continue;
                    ++conditional;
                    for (std::uint32_t index = 0; index < argument_count; ++index)
                        if (indexes->second.count(index) == 0) arguments.at(index) = random.value(false);
                    CHECK(policy.decide(one, arguments) == decision);
                }
            }
    }
    CHECK(conditional > 1000);
    CHECK(in_force_at_all > 100);
}

TEST_CASE("flags of a profile in force are those that a filter without a listener can have") {
    Profile with_flags = profile(sockets);
    with_flags.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC",
                        "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
    CHECK(in_force(with_flags).filter_flags ==
          (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
    with_flags.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
    CHECK(in_force(with_flags).filter_flags == 0);
    CHECK(in_force(with_flags).losses ==
          std::vector<std::string>{"the flag SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"});
}

TEST_CASE("what recordings have seen is denied for each executable that called it") {
    const PolicyInForce policy = in_force(profile(sockets));
    const std::vector<Recording> recordings{recorded({"read", "mount", "socket", "gettid", "getpid"})};
    const auto denials = denials_of(recordings, policy);
    CHECK(names_of(denials) == std::set<std::string>{"mount", "socket", "gettid"});
    REQUIRE(denials.size() == 6);
    for (const Denial& denial : denials) {
        INFO(syscall_name(denial.call) << " by " << denial.executable);
        const bool second = denial.executable == "/bin/two";
        CHECK(denial.count == (second ? 3U : 2U));
        CHECK(denial.process == (second ? 8 : 0));
        CHECK(denial.first == Milliseconds(second ? 3 : 0));
        CHECK(denial.exact);
        CHECK(denial.decision.has_value() == (syscall_name(denial.call) != "socket"));
        CHECK(is_denial(denial) == (syscall_name(denial.call) == "mount"));
        if (syscall_name(denial.call) == "mount") CHECK(denial.decision == denied);
    }
    CHECK(denials_of(std::vector{recorded({"read", "getpid"})}, policy).empty());
    CHECK(denials_of(std::vector<Recording>{}, policy).empty());
}

TEST_CASE("what several recordings have seen is counted together") {
    const PolicyInForce policy = in_force(profile(sockets));
    std::vector<Recording> recordings{recorded({"mount"}), recorded({"mount", "umount2"})};
    recordings.back().executables.front() = "/bin/three";
    recordings.back().processes.front().scope = Scope::tree;
    std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, bool>> counts;
    for (const Denial& denial : denials_of(recordings, policy))
        CHECK(counts.try_emplace({syscall_name(denial.call), denial.executable}, denial.count, denial.exact)
                  .second);
    CHECK(counts == decltype(counts){{{"mount", "/bin/one"}, {2, true}},
                                     {{"mount", "/bin/two"}, {6, false}},
                                     {{"mount", "/bin/three"}, {2, false}},
                                     {{"umount2", "/bin/two"}, {3, false}},
                                     {{"umount2", "/bin/three"}, {2, false}}});
}

TEST_CASE("where a recorded call is made is told where one executable makes it") {
    Recording recording = recorded({"mount", "umount2"});
    for (CallRecord& record : recording.calls)
        record.sites = {{"/lib/libc.so.6", "", 1, "", 0}, {"/bin/one", "", 2, "", 0}};
    recording.calls.front().by_executable = {{1, 5}};
    const auto denials = denials_of(std::vector{recording}, in_force(profile(sockets)));
    REQUIRE(denials.size() == 3);
    CHECK(denials[0].site == recording.calls.front().sites.front());
    CHECK_FALSE(denials[1].site);
    CHECK_FALSE(denials[2].site);
}

TEST_CASE("calls of recordings without a name and of other ABIs are denied too") {
    Recording recording = recorded({"read"});
    recording.calls.front().call = {Abi::x86_64, 5000};
    CallRecord other = recording.calls.front();
    other.call = {Abi::i386, 3};
    recording.calls.push_back(other);
    const auto denials = denials_of(std::vector{recording}, in_force(profile(sockets)));
    REQUIRE(denials.size() == 4);
    CHECK(denials[0].decision == denied);
    CHECK(denials[0].text == "number 5000");
    CHECK(denials[2].decision == Decision{Action::kill_thread, 0});
}

TEST_CASE("what recordings have observed is added up, and what they lack is told") {
    std::vector<Recording> recordings{recorded({"read", "mount"}), recorded({"getpid"})};
    for (Recording& recording : recordings) recording.duration = Milliseconds(20);
    recordings.front().gaps = {"stopped following a task that went on running"};
    recordings.back().assumed = {call("write"), call("close")};
    const Observed observed = observed_in(recordings, in_force(profile(sockets)));
    CHECK(observed.found.size() == 2);
    CHECK(observed.used.size() == 3);
    CHECK(observed.rest.duration == Milliseconds(40));
    CHECK(observed.rest.processes.size() == 4);
    CHECK(observed.rest.gaps == std::vector<std::string>{"stopped following a task that went on running",
                                                         "2 calls were known beforehand and not looked for"});
}

TEST_CASE("findings say why a call is denied and what would allow it, and a profile that does is found") {
    const Profile before = profile(sockets);
    const PolicyInForce policy = in_force(before);
    std::vector<Recording> recordings{recorded({"mount", "gettid", "read"})};
    CallRecord unnamed = recordings.front().calls.front();
    unnamed.call = {Abi::x86_64, 5000};
    recordings.front().calls.push_back(unnamed);
    auto found = observed_in(recordings, policy).found;
    REQUIRE(found.size() == 6);
    const auto findings = findings_of(std::move(found), before, machine(), policy);
    REQUIRE(findings);
    REQUIRE(findings->size() == 6);
    for (const VerifyFinding& finding : *findings) {
        const std::string name = syscall_name(finding.denial.call);
        INFO((name.empty() ? "5000" : name));
        CHECK(finding.no_profile_can == name.empty());
        CHECK(finding.changes.empty() == (name != "mount"));  // a listener may let gettid through
    }
    const auto after = allowing(*findings, before, machine());
    REQUIRE(after);
    std::set<std::string> denied_still;
    for (const Denial& denial : denials_of(recordings, in_force(*after)))
        denied_still.insert(syscall_name(denial.call));
    CHECK(denied_still == std::set<std::string>{"", "gettid"});
}

TEST_CASE("what a container runtime needs and the profile does not let through") {
    const auto of = [](const std::string& rules, RuntimeSet runtime, bool no_new_privileges) {
        return names_of(denials_of(runtime, no_new_privileges, in_force(profile(rules)), machine()));
    };
    const std::string nothing = R"({"names": ["exit"], "action": "SCMP_ACT_ALLOW"})";
    CHECK(of(nothing, RuntimeSet::none, false).empty());
    const auto runc = of(nothing, RuntimeSet::runc, false);
    const auto runc_nnp = of(nothing, RuntimeSet::runc, true);
    CHECK(runc.count("execve") == 1);
    CHECK(runc.count("capset") == 1);
    CHECK(runc_nnp.count("capset") == 0);
    CHECK(runc.count("fcntl") == 0);  // it goes on when that fails
    CHECK(std::includes(runc.begin(), runc.end(), runc_nnp.begin(), runc_nnp.end()));
    CHECK(of(nothing, RuntimeSet::crun, true) == std::set<std::string>{"execve"});
    // Of those that a condition lets through nobody knows.
    CHECK(of(R"({"names": ["execve"], "action": "SCMP_ACT_ALLOW",
                 "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]})",
             RuntimeSet::crun, true)
              .empty());

    Profile killing = profile(nothing);
    killing.default_action = Action::kill_process;
    killing.default_errno_ret.reset();
    const auto denials = denials_of(RuntimeSet::runc, false, in_force(killing), machine());
    CHECK(names_of(denials).count("fcntl") == 1);
    for (const Denial& denial : denials) {
        CHECK(denial.runtime == "runc");
        CHECK(denial.decision == Decision{Action::kill_process, 0});
        CHECK(is_denial(denial));
    }
}

}  // namespace verify_test
