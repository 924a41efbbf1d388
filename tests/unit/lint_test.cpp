#include "callcensus/lint.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "catch.hpp"
#include "meaning/runtime_calls.hpp"

namespace lint_test {

using namespace callcensus;
using Json = nlohmann::ordered_json;

namespace {

// A profile without a fault: what runtimes and every program need, and nothing else.
Json clean_profile() {
    std::set<std::string> names{"exit", "exit_group", "restart_syscall", "rt_sigreturn", "sigreturn"};
    for (const std::string& name : runtime_calls(RuntimeSet::any, {.denial_kills = true})) names.insert(name);
    return Json{{"defaultAction", "SCMP_ACT_ERRNO"},
                {"defaultErrnoRet", 38},
                {"architectures", {"SCMP_ARCH_X86_64"}},
                {"syscalls", Json::array({{{"names", names}, {"action", "SCMP_ACT_ALLOW"}}})}};
}

// The clean profile with other members (null takes one away) and with rules added.
std::string profile_with(const std::string& members, const std::string& rules = "") {
    Json profile = clean_profile();
    const Json changes = Json::parse(members);
    for (const auto& [key, value] : changes.items()) {
        if (value.is_null())
            profile.erase(key);
        else
            profile[key] = value;
    }
    for (const Json& rule : Json::parse("[" + rules + "]")) profile["syscalls"].push_back(rule);
    return profile.dump(1);
}
std::string rules(const std::string& added) { return profile_with("{}", added); }

std::vector<Finding> findings_of(const std::string& text, const LintOptions& options = {}) {
    const auto read = read_leniently(text, "p.json");
    REQUIRE(read);
    return lint(*read, options);
}

std::vector<Finding> with_code(const std::vector<Finding>& findings, const std::string& code) {
    std::vector<Finding> found;
    std::copy_if(findings.begin(), findings.end(), std::back_inserter(found),
                 [&](const Finding& finding) { return finding.code == code; });
    return found;
}

std::string shown(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings)
        text += finding.code + " " + std::string(to_string(finding.severity)) + " " + finding.message + "\n";
    return text;
}

std::size_t count_from(const std::vector<Finding>& findings, Severity least) {
    return static_cast<std::size_t>(std::count_if(
        findings.begin(), findings.end(), [&](const Finding& finding) { return finding.severity >= least; }));
}

LintOptions for_only(std::vector<Consumer> consumers) {
    LintOptions options;
    options.consumers = std::move(consumers);
    return options;
}

std::string file(const std::string& path) {
    std::ifstream stream(path);
    REQUIRE(stream);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
}

const std::string allow = R"("action": "SCMP_ACT_ALLOW")";
const std::string deny = R"("action": "SCMP_ACT_ERRNO", "errnoRet": 1)";

std::string when(const std::string& conditions, const std::string& action = allow,
                 const std::string& name = "flock") {
    return R"({"names": [")" + name + R"("], )" + action + R"(, "args": [)" + conditions + "]}";
}
std::string arg(int index, const std::string& op, const std::string& value, const std::string& rest = "") {
    return R"({"index": )" + std::to_string(index) + R"(, "op": "SCMP_CMP_)" + op + R"(", "value": )" +
           value + rest + "}";
}

// A profile that gives the finding, and its mended twin that does not.
struct Example {
    std::string code;
    Severity severity;
    std::string bad;
    std::string mended;
    std::vector<Consumer> consumers = default_consumers();
};

// What is allowed in the clean profile, without those.
std::string without(const std::set<std::string>& names, const std::string& members = "{}") {
    Json profile = Json::parse(profile_with(members));
    Json left = Json::array();
    for (const Json& name : profile["syscalls"][0]["names"])
        if (names.count(name.get<std::string>()) == 0) left.push_back(name);
    profile["syscalls"][0]["names"] = left;
    return profile.dump(1);
}

// A list of what is denied.
std::string open_with(const std::string& rules) {
    return R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [)" +
           rules + "]}";
}

std::vector<Example> examples() {
    using S = Severity;
    const std::string clean = profile_with("{}");
    const std::string eperm = R"({"defaultErrnoRet": 1})";
    const std::string wide = "4294967296";
    const std::string with_i386 = R"({"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]})";
    return {
        {"CC101", S::error, profile_with(R"({"syscalls": {}})"), clean},
        {"CC101", S::error, profile_with(R"({"defaultAction": null})"), clean},
        {"CC101", S::error, rules(R"({"names": ["read", 5], )" + allow + "}"), clean},
        {"CC101", S::error, rules(when(R"({"index": 0, "value": -1, "op": "SCMP_CMP_EQ"})")),
         rules(when(arg(0, "EQ", "1")))},
        {"CC102", S::error, profile_with(R"({"defaultAction": "SCMP_ACT_ERNO"})"), clean},
        {"CC102", S::error, rules(R"({"names": ["flock"], "action": "ALLOW"})"),
         rules(R"({"names": ["flock"], )" + allow + "}")},
        {"CC103", S::error, profile_with(R"({"architectures": ["SCMP_ARCH_X86_64", "x86"]})"),
         profile_with(with_i386)},
        {"CC104", S::error, rules(when(R"({"index": 0, "value": 1, "op": "EQ"})")),
         rules(when(arg(0, "EQ", "1")))},
        {"CC105", S::error, rules(when(arg(6, "EQ", "1"))), rules(when(arg(5, "EQ", "1")))},
        {"CC106", S::error, rules(R"({"names": ["flock"], "name": "dup", )" + allow + "}"),
         rules(R"({"names": ["flock", "dup"], )" + allow + "}")},
        {"CC107", S::error, profile_with(R"({"archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})"), clean},
        {"CC108", S::error, "\xef\xbb\xbf" + clean, clean},
        {"CC109", S::warning, R"({"defaultAction": "SCMP_ACT_KILL", )" + clean.substr(1), clean},
        {"CC110", S::warning, rules(R"({"names": ["flock"], "errnoret": 1, )" + allow + "}"), clean},
        {"CC110", S::warning, rules(when(arg(0, "EQ", "1", R"(, "valuetwo": 1)"))),
         rules(when(arg(0, "EQ", "1")))},
        {"CC110", S::note, profile_with(R"({"$schema": "none"})"), profile_with(R"({"comment": "ours"})")},
        {"CC111", S::error, "{}", clean},
        {"CC111", S::error, R"({"ociVersion": "1.0.2", "linux": {"seccomp": )" + clean + "}}", clean},
        {"CC111", S::error, R"({"default_action": "SCMP_ACT_ERRNO"})", clean, {Consumer::runc}},
        {"CC112", S::warning, rules(R"({"names": [], )" + allow + "}"), clean},
        {"CC112", S::error, rules("{" + allow + "}"), clean},
        {"CC113", S::error, rules(R"({"names": ["bpf"], "includes": {"caps": ["CAP_BPF"]}, )" + allow + "}"),
         rules(R"({"names": ["bpf"], "includes": {}, )" + allow + "}")},
        {"CC113",
         S::warning,
         rules(R"({"names": ["bpf"], "excludes": {"caps": ["CAP_BPF"]}, )" + deny + "}"),
         clean,
         {Consumer::containerd}},
        {"CC114",
         S::warning,
         profile_with(R"({"architectures": null, "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})"),
         clean,
         {Consumer::runc}},
        {"CC115", S::error, rules(R"({"name": "flock", )" + allow + "}"),
         rules(R"({"names": ["flock"], )" + allow + "}")},
        {"CC116", S::warning, profile_with(R"({"defaultErrno": "ENOENT"})"),
         profile_with(R"({"defaultErrno": "ENOSYS"})")},
        {"CC116", S::warning, rules(R"({"names": ["flock"], "action": "SCMP_ACT_ERRNO", "errno": "EINVAL"})"),
         rules(R"({"names": ["flock"], "action": "SCMP_ACT_ERRNO", "errno": "EINVAL", "errnoRet": 22})")},
        {"CC117", S::warning,
         rules(R"({"names": ["ptrace"], "includes": {"minKernel": "4.8"}, )" + allow + "}"),
         rules(R"({"names": ["ptrace"], )" + allow + "}")},
        {"CC118", S::error,
         rules(R"({"names": ["ptrace"], "includes": {"minKernel": "4.8.1"}, )" + allow + "}"),
         rules(R"({"names": ["ptrace"], "includes": {"minKernel": "4.8"}, )" + allow + "}")},
        {"CC119", S::error,
         rules(R"({"names": ["ptrace"], "includes": {"arches": ["x86_64"]}, )" + allow + "}"),
         rules(R"({"names": ["ptrace"], "includes": {"arches": ["amd64"]}, )" + allow + "}")},
        {"CC119", S::note, rules(R"({"names": ["ptrace"], "includes": {"arches": ["x32"]}, )" + allow + "}"),
         clean},
        {"CC120", S::warning,
         rules(R"({"names": ["ptrace"], "includes": {"caps": ["SYS_PTRACE"]}, )" + allow + "}"),
         rules(R"({"names": ["ptrace"], "includes": {"caps": ["CAP_SYS_PTRACE"]}, )" + allow + "}")},
        {"CC121",
         S::error,
         profile_with(R"({"flags": ["SECCOMP_FILTER_FLAG_LOGS"]})"),
         clean,
         {Consumer::crun}},
        {"CC121",
         S::warning,
         profile_with(R"({"flags": ["SECCOMP_FILTER_FLAG_LOG"]})"),
         clean,
         {Consumer::runc}},
        {"CC121",
         S::warning,
         profile_with(R"({"flags": ["SECCOMP_FILTER_FLAG_LOG"]})"),
         clean,
         {Consumer::docker}},
        {"CC122", S::error, profile_with(R"({"defaultAction": "SCMP_ACT_KILL"})"),
         profile_with(R"({"defaultAction": "SCMP_ACT_TRACE"})")},
        {"CC122", S::error, rules(R"({"names": ["flock"], "errnoRet": 1, )" + allow + "}"),
         rules(R"({"names": ["flock"], )" + deny + "}")},
        {"CC122",
         S::note,
         rules(R"({"names": ["flock"], "errnoRet": 1, )" + allow + "}"),
         clean,
         {Consumer::docker}},
        {"CC123", S::warning, profile_with(R"({"defaultErrnoRet": 0})"), clean},
        {"CC123", S::error, rules(R"({"names": ["flock"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096})"),
         rules(R"({"names": ["flock"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4095})")},
        {"CC124", S::error, profile_with(R"({"defaultErrno": "ENOTHING"})"),
         profile_with(R"({"defaultErrno": "ENOSYS"})")},
        {"CC125", S::error, profile_with(R"({"defaultAction": "SCMP_ACT_NOTIFY"})"), clean},
        {"CC125", S::error, rules(R"({"names": ["mount"], "action": "SCMP_ACT_NOTIFY"})"),
         profile_with(R"({"listenerPath": "/run/agent"})",
                      R"({"names": ["mount"], "action": "SCMP_ACT_NOTIFY"})")},
        {"CC125", S::error,
         profile_with(R"({"listenerPath": "/run/agent"})",
                      R"({"names": ["write"], "action": "SCMP_ACT_NOTIFY"})"),
         clean},
        {"CC125",
         S::warning,
         rules(R"({"names": ["mount"], "action": "SCMP_ACT_NOTIFY"})"),
         clean,
         {Consumer::crun}},
        {"CC126", S::warning, profile_with(R"({"listenerPath": "/run/agent"})"),
         profile_with(R"({"listenerPath": "/run/agent"})",
                      R"({"names": ["mount"], "action": "SCMP_ACT_NOTIFY"})")},
        {"CC127", S::error, profile_with(R"({"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"]})"),
         profile_with(R"({"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]})")},
        {"CC128", S::note, profile_with(R"({"architectures": ["SCMP_ARCH_RISCV64"]})"), clean},
        {"CC129", S::warning, clean, profile_with(eperm), {Consumer::spo}},
        {"CC129",
         S::error,
         rules(when(arg(0, "EQ", "18446744073709551615"))),
         profile_with(eperm, when(arg(0, "EQ", "1"))),
         {Consumer::spo}},
        {"CC201", S::warning, rules(R"({"names": ["raed"], )" + allow + "}"), clean},
        {"CC201", S::error,
         profile_with(R"({"defaultAction": "SCMP_ACT_ALLOW"})", R"({"names": ["mont"], )" + deny + "}"),
         profile_with(R"({"defaultAction": "SCMP_ACT_ALLOW"})", R"({"names": ["mount"], )" + deny + "}")},
        {"CC203", S::note, rules(R"({"names": ["arm_fadvise64_64"], )" + allow + "}"),
         rules(R"({"names": ["fadvise64"], )" + allow + "}")},
        {"CC301", S::note, rules(R"({"names": ["flock", "dup", "flock"], )" + allow + "}"),
         rules(R"({"names": ["flock", "dup"], )" + allow + "}")},
        {"CC302", S::error, rules(when(arg(0, "EQ", "1")) + "," + when(arg(0, "EQ", "1"), deny)),
         rules(when(arg(0, "EQ", "1")) + "," + when(arg(0, "EQ", "2"), deny))},
        {"CC302", S::warning, rules(R"({"names": ["read"], )" + deny + "}"),
         rules(R"({"names": ["dup"], )" + deny + "}")},
        {"CC303", S::warning, rules(when(arg(0, "EQ", "1"), allow, "read")),
         rules(when(arg(0, "EQ", "1"), allow, "dup"))},
        {"CC303", S::warning,
         rules(when(arg(0, "EQ", "1"), allow, "dup") + R"(, {"names": ["dup"], )" + deny + "}"),
         rules(when(arg(0, "EQ", "1"), allow, "dup"))},
        {"CC304", S::warning, rules(when(arg(0, "GE", "5")) + "," + when(arg(0, "LE", "5"), deny)),
         rules(when(arg(0, "GE", "5")) + "," + when(arg(0, "LT", "5"), deny))},
        {"CC304", S::warning, rules(when(arg(0, "EQ", "5")) + "," + when(arg(1, "EQ", "5"), deny)),
         rules(when(arg(0, "EQ", "5")) + "," + when(arg(0, "NE", "5"), deny))},
        {"CC304", S::warning,
         rules(when(arg(0, "MASKED_EQ", "3", R"(, "valueTwo": 1)")) + "," +
               when(arg(0, "MASKED_EQ", "6", R"(, "valueTwo": 4)"), deny)),
         rules(when(arg(0, "MASKED_EQ", "3", R"(, "valueTwo": 1)")) + "," +
               when(arg(0, "MASKED_EQ", "6", R"(, "valueTwo": 2)"), deny))},
        {"CC305", S::note, rules(R"({"names": ["dup"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})"),
         rules(R"({"names": ["dup"], )" + deny + "}")},
        {"CC306", S::error,
         rules(when(arg(0, "NE", "2") + "," + arg(1, "GE", "1")) + "," +
               when(arg(1, "EQ", "1") + "," + arg(0, "NE", "2"))),
         rules(when(arg(0, "NE", "2") + "," + arg(1, "GE", "1")))},
        {"CC306", S::error, rules(when(arg(0, "LT", wide)) + "," + when(arg(0, "LT", "5"))),
         rules(when(arg(0, "LT", "6")) + "," + when(arg(0, "LT", "5")))},
        {"CC307", S::error,
         R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
             {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [)" +
             arg(0, "EQ", "40") + R"(]}, {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [)" +
             arg(0, "NE", "40") + "]}]}",
         R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
             {"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"},
             {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [)" +
             arg(0, "EQ", "40") + R"(]}, {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [)" +
             arg(0, "NE", "40") + "]}]}"},
        {"CC401", S::warning, profile_with(with_i386, when(arg(0, "EQ", wide))),
         rules(when(arg(0, "EQ", wide)))},
        {"CC402", S::warning, rules(when(arg(0, "MASKED_EQ", "1", R"(, "valueTwo": 3)"))),
         rules(when(arg(0, "MASKED_EQ", "3", R"(, "valueTwo": 1)")))},
        {"CC403", S::warning, rules(when(arg(0, "EQ", "1", R"(, "valueTwo": 1)"))),
         rules(when(arg(0, "EQ", "1", R"(, "valueTwo": 0)")))},
        {"CC403", S::note, rules(when(arg(0, "MASKED_EQ", "1"))),
         rules(when(arg(0, "MASKED_EQ", "1", R"(, "valueTwo": 0)")))},
        {"CC404", S::error, rules(when(arg(0, "GE", "1") + "," + arg(0, "LE", "5"))),
         rules(when(arg(0, "GE", "1") + "," + arg(1, "LE", "5")))},
        {"CC405", S::warning, rules(when(arg(0, "GE", "0"))), rules(when(arg(0, "GT", "0")))},
        {"CC405", S::warning, rules(when(arg(0, "LT", "0"))), rules(when(arg(0, "LT", "1")))},
        {"CC405", S::warning, rules(when(arg(0, "LE", "18446744073709551615"))),
         rules(when(arg(0, "LE", "5")))},
        {"CC406", S::warning, rules(when(arg(1, "EQ", "4096"), allow, "bind")),
         rules(when(arg(1, "NE", "0") + "," + arg(0, "EQ", "4096"), allow, "bind"))},
        {"CC501", S::warning, profile_with(R"({"defaultAction": "SCMP_ACT_LOG"})"), clean},
        {"CC502",
         S::warning,
         profile_with(eperm, R"({"names": ["clone"], )" + allow + "}"),
         rules(R"({"names": ["clone"], )" + allow + "}"),
         {Consumer::crun}},
        {"CC502",
         S::warning,
         profile_with(eperm, R"({"names": ["clone"], )" + allow + "}"),
         profile_with(eperm, R"({"names": ["clone", "clone3", "execveat", "epoll_pwait2", "futex_waitv"], )" +
                                 allow + "}"),
         {Consumer::crun}},
        {"CC502", S::warning, open_with(R"({"names": ["clone3"], )" + deny + "}"),
         open_with(R"({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})")},
        {"CC503",
         S::warning,
         profile_with(eperm, R"({"names": ["clone"], )" + allow + "}"),
         profile_with(eperm, R"({"names": ["clone", "clone3", "execveat", "epoll_pwait2", "futex_waitv"], )" +
                                 allow + "}"),
         {Consumer::runc}},
        {"CC504", S::warning, without({"rt_sigreturn"}), clean},
        {"CC504", S::warning, without({"sigreturn"}, with_i386), without({"sigreturn"})},
        {"CC504", S::warning, open_with(R"({"names": ["exit_group"], )" + deny + "}"), clean},
        {"CC505", S::note, rules(R"({"names": ["fork"], )" + allow + "}"),
         rules(R"({"names": ["clone", "clone3", "fork", "vfork"], )" + allow + "}")},
        {"CC506", S::error, without({"capset"}), clean},
        {"CC506", S::warning, without({"futex"}), clean},
        {"CC506", S::error, open_with(R"({"names": ["execve", "prctl"], )" + deny + "}"),
         open_with(R"({"names": ["execveat"], )" + deny + "}")},
        {"CC507", S::note, rules(R"({"names": ["bpf"], )" + allow + "}"),
         rules(R"({"names": ["bpf"], "includes": {"caps": ["CAP_BPF"]}, )" + allow + "}")},
        {"CC508", S::warning, rules(R"({"names": ["flock"], "action": "SCMP_ACT_LOG"})"), clean},
        {"CC509", S::warning, rules(R"({"names": ["flock"], "action": "SCMP_ACT_TRACE"})"), clean},
        {"CC510", S::note, profile_with(R"({"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"]})"),
         clean},
        {"CC510", S::warning,
         profile_with(
             R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"]})"),
         clean},
        {"CC511", S::note, clean, profile_with(with_i386)},
        {"CC511", S::warning, profile_with(R"({"defaultAction": "SCMP_ACT_ALLOW"})"),
         profile_with(with_i386)},
        {"CC512", S::note, profile_with(R"({"architectures": null})"), clean},
        {"CC514", S::note, profile_with(with_i386), clean},
        {"CC515", S::note, profile_with(R"({"defaultAction": "SCMP_ACT_KILL"})"),
         profile_with(R"({"defaultAction": "SCMP_ACT_KILL_PROCESS"})")},
        {"CC516", S::note, open_with(R"({"names": ["chmod"], )" + deny + "}"),
         open_with(R"({"names": ["chmod", "fchmod", "fchmodat", "fchmodat2"], )" + deny + "}")},
        {"CC513", S::warning,
         profile_with(with_i386, when(arg(0, "EQ", "1"), allow, "socket") +
                                     R"(, {"names": ["socketcall"], )" + allow + "}"),
         rules(when(arg(0, "EQ", "1"), allow, "socket") + R"(, {"names": ["socketcall"], )" + allow + "}")},
    };
}

}  // namespace

TEST_CASE("a profile without a fault is without findings above notes") {
    const auto findings = findings_of(profile_with("{}"));
    INFO(shown(findings));
    CHECK(count_from(findings, Severity::warning) == 0);
}

TEST_CASE("each check fires on an example and not on its mended twin") {
    for (const Example& example : examples()) {
        INFO(example.code << "\n" << example.bad);
        const auto bad = findings_of(example.bad, for_only(example.consumers));
        INFO(shown(bad));
        const auto found = with_code(bad, example.code);
        REQUIRE_FALSE(found.empty());
        CHECK(std::any_of(found.begin(), found.end(),
                          [&](const Finding& finding) { return finding.severity == example.severity; }));
        for (const Finding& finding : found) {
            CHECK(finding.place.line > 0);
            CHECK_FALSE(finding.message.empty());
            CHECK(finding.message.back() != '.');
            CHECK((finding.message + finding.fix).find('\n') == std::string::npos);
            CHECK_FALSE(finding.fix.empty());
        }
        // Of some notes even the clean profile has one.
        const auto count = [&](const std::string& text) {
            const auto with = with_code(findings_of(text, for_only(example.consumers)), example.code);
            return std::count_if(with.begin(), with.end(), [&](const Finding& finding) {
                return finding.severity == example.severity;
            });
        };
        INFO(shown(findings_of(example.mended, for_only(example.consumers))));
        CHECK(count(example.mended) < count(example.bad));
        CHECK(count(example.mended) <= count(profile_with("{}")));
    }
}

TEST_CASE("every check has an example, and every code explains itself in docs/lint.md") {
    std::set<std::string> of_examples{"CC202"};  // depends on the libseccomp in use: below
    for (const Example& example : examples()) of_examples.insert(example.code);
    std::set<std::string> headings;
    std::istringstream doc(file(CALLCENSUS_SOURCE_DIR "/docs/lint.md"));
    for (std::string line; std::getline(doc, line);)
        if (line.rfind("### ", 0) == 0) headings.insert(line.substr(4));
    std::set<std::string> codes;
    std::set<std::string> expected;
    for (const LintCheck& check : lint_checks()) {
        codes.emplace(check.code);
        expected.insert(std::string(check.code) + ": " + std::string(check.title));
    }
    CHECK(of_examples == codes);
    CHECK(headings == expected);
}

TEST_CASE("a name that libseccomp is too old for says which release knows it") {
    if (libseccomp_needed_for("mseal").empty()) return;
    const auto found =
        with_code(findings_of(rules(R"({"names": ["mseal"], "action": "SCMP_ACT_ALLOW"})")), "CC202");
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.find("2.6.0") != std::string::npos);
    CHECK(with_code(findings_of(rules(R"({"names": ["mseal"], "action": "SCMP_ACT_ALLOW"})")), "CC201")
              .empty());
}

TEST_CASE(
    "what is proposed for a function of libc are the calls that it makes on the profile's architectures") {
    const auto proposal = [](const std::string& name, const std::string& members = "{}") {
        const auto found = with_code(
            findings_of(profile_with(members, R"({"names": [")" + name + R"("], )" + allow + "}")), "CC201");
        REQUIRE(found.size() == 1);
        return found[0].fix;
    };
    const std::string end = ", if that is what is meant";
    CHECK(proposal("pwrite") == "write \"pwrite64\"" + end);
    CHECK(proposal("pthread_create") == "write \"clone3\" and \"clone\"" + end);
    CHECK(proposal("SYS_openat") == "write \"openat\"" + end);
    const std::string on_arm64 = R"({"architectures": ["SCMP_ARCH_AARCH64"]})";
    CHECK(proposal("fopen") == "write \"openat\" and \"open\"" + end);
    CHECK(proposal("fopen", on_arm64) == "write \"openat\"" + end);
    CHECK(proposal("opne", on_arm64).find("\"open\"") == std::string::npos);  // aarch64 has no open
    CHECK(proposal("frobnicate_it") == "drop it");
}

TEST_CASE("a call of other architectures comes with those that do its work on these") {
    const auto fix = [](const std::string& names) {
        for (const Finding& finding :
             with_code(findings_of(rules(R"({"names": )" + names + ", " + allow + "}")), "CC203"))
            if (finding.message.find("syscalls[1]") == 0) return finding.fix;
        return std::string();
    };
    CHECK(fix(R"(["umount"])").find("name umount2, which") == 0);
    CHECK(fix(R"(["sigaction", "send"])").find("name sendto, which") == 0);  // rt_sigaction is there already
    CHECK(fix(R"(["umount", "umount2"])").find("drop them") == 0);
}

TEST_CASE("places are those of the offending value") {
    const std::string text =
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n \"syscalls\": [\n  {\"names\": [\"read\",\n   \"raed\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";
    const auto found = with_code(findings_of(text), "CC201");
    REQUIRE(found.size() == 1);
    CHECK(found[0].place == Place{4, 4});
    CHECK(found[0].fix.find("\"read\"") != std::string::npos);
}

TEST_CASE("a file that counts as no profile is said to leave containers unconfined, and what was meant") {
    const std::string profile = profile_with("{}");
    struct {
        std::string text;
        std::string said;
        Place place;
    } const cases[]{
        {"{\n \"ociVersion\": \"1.0.2\",\n \"linux\": {\"seccomp\": " + profile + "}}",
         "linux.seccomp",
         {3, 23}},
        {R"({"apiVersion": "v1", "kind": "SeccompProfile", "spec": )" + profile + "}",
         "Kubernetes object",
         {1, 56}},
        {R"({"default_action": "SCMP_ACT_ERRNO", "syscals": []})",
         "defaultAction in place of default_action",
         {1, 1}},
        {R"({"vmm": {"default_action": "trap", "filter_action": "allow", "filter": []}})",
         "Firecracker",
         {1, 9}},
        {R"({"format": "callcensus-recording", "calls": []})", "callcensus derive", {1, 12}},
        {R"({"defaultAction": "", "syscalls": []})", "write a defaultAction", {1, 1}},
        {R"({"defaultAction": null, "syscalls": null})", "write a defaultAction", {1, 1}},
        {R"({"architectures": ["SCMP_ARCH_X86_64"], "flags": []})", "write a defaultAction", {1, 1}},
    };
    for (const auto& [text, said, place] : cases) {
        CAPTURE(text);
        const auto findings = findings_of(text);
        INFO(shown(findings));
        CHECK(count_from(findings, Severity::error) == 1);
        const auto found = with_code(findings, "CC111");
        REQUIRE(found.size() == 1);
        CHECK(found[0].message.find("unconfined with docker, podman, runc and containerd (crun refuses") !=
              std::string::npos);
        CHECK((found[0].message + found[0].fix).find(said) != std::string::npos);
        CHECK(found[0].place == place);
        // crun refuses it, as every reader does what lacks a default only.
        CHECK(with_code(findings_of(text, for_only({Consumer::crun})), "CC111").empty());
        CHECK(count_from(findings_of(text, for_only({Consumer::crun})), Severity::error) == 1);
    }
    for (const std::string refused :
         {R"({"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]})", R"({"architectures": 5})",
          "[]", R"({"defaultAction": "SCMP_ACT_NONE"})", R"({"DefaultAction": "SCMP_ACT_ERRNO"})"}) {
        CAPTURE(refused);
        CHECK(with_code(findings_of(refused), "CC111").empty());
        CHECK(count_from(findings_of(refused), Severity::error) > 0);
    }
}

TEST_CASE("what only some consumers drop is said of them only") {
    const std::string text =
        rules(R"({"names": ["bpf"], "includes": {"caps": ["CAP_BPF"]}, "action": "SCMP_ACT_ALLOW"})");
    CHECK(with_code(findings_of(text, for_only({Consumer::docker, Consumer::podman})), "CC113").empty());
    const auto found = with_code(findings_of(text), "CC113");
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.find("runc, crun and containerd") != std::string::npos);
    CHECK(found[0].message.find("podman") == std::string::npos);
}

TEST_CASE("codes can be ignored") {
    LintOptions options;
    options.ignored = {"CC201"};
    const std::string text = rules(R"({"names": ["raed"], "action": "SCMP_ACT_ALLOW"})");
    CHECK_FALSE(with_code(findings_of(text), "CC201").empty());
    CHECK(with_code(findings_of(text, options), "CC201").empty());
}

TEST_CASE("includes and excludes that exclude one another are no contradiction") {
    const std::string text = rules(
        R"({"names": ["bpf"], "includes": {"caps": ["CAP_BPF"]}, "action": "SCMP_ACT_ALLOW"},
           {"names": ["bpf"], "excludes": {"caps": ["CAP_BPF"]}, "action": "SCMP_ACT_ERRNO", "errnoRet": 1})");
    CHECK(with_code(findings_of(text), "CC302").empty());
}

TEST_CASE("calls that only runtimes without no_new_privileges need are told apart") {
    LintOptions options = for_only({Consumer::docker});
    const auto about_runtimes = [&](std::set<std::string> names) {
        const auto found = with_code(findings_of(without(names), options), "CC506");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
        return found[0].message;
    };
    CHECK(about_runtimes({"setgroups"}).find("docker unless it has no_new_privileges") != std::string::npos);
    CHECK(about_runtimes({"execve"}).find("no_new_privileges") == std::string::npos);
    CHECK(about_runtimes({"execve", "setgroups"}).find("no_new_privileges") == std::string::npos);
    options.no_new_privileges = true;
    CHECK(with_code(findings_of(without({"setgroups"}), options), "CC506").empty());
    CHECK(about_runtimes({"execve", "setgroups"}).find("makes execve under") != std::string::npos);
}

TEST_CASE("denials that stop every container are errors, whoever denies and however") {
    const auto about = [](const std::string& text, Consumer consumer) {
        const auto found = with_code(findings_of(text, for_only({consumer})), "CC506");
        INFO(shown(found));
        REQUIRE(found.size() == 1);
        return found[0];
    };
    const auto denying = [](const std::string& name, const std::string& action) {
        return open_with(R"({"names": [")" + name + R"("], "action": "SCMP_ACT_)" + action + "}");
    };
    // Measured with runc 1.1.5 and crun 1.8.1, each denial by itself.
    for (const std::string action : {R"(ERRNO", "errnoRet": 1)", R"(ERRNO", "errnoRet": 38)",
                                     R"(KILL_PROCESS")", R"(KILL")", R"(TRAP")", R"(TRACE")"}) {
        CAPTURE(action);
        for (const char* name : {"execve", "write", "openat", "capset", "setgroups", "getppid"})
            CHECK(about(denying(name, action), Consumer::runc).severity == Severity::error);
        for (const char* name : {"execve", "prctl", "rt_sigaction", "write"})
            CHECK(about(denying(name, action), Consumer::crun).severity == Severity::error);
        // With podman it may be either of them.
        CHECK(about(denying("capset", action), Consumer::podman).severity == Severity::error);
        CHECK(about(denying("setgroups", action), Consumer::podman).severity == Severity::warning);
        CHECK(with_code(findings_of(denying("mount", action), for_only({Consumer::runc})), "CC506").empty());
        CHECK(with_code(findings_of(denying("execve", action + R"(, "excludes": {"caps": ["CAP_CHOWN"]})"),
                                    for_only({Consumer::docker})),
                        "CC506")
                  .empty());
    }
    CHECK(about(denying("close", R"(KILL_PROCESS")"), Consumer::crun).severity == Severity::error);
    CHECK(with_code(findings_of(denying("close", R"(ERRNO")"), for_only({Consumer::crun})), "CC506").empty());
    // LOG lets through; a call that seems to succeed, or that an agent answers, may do.
    CHECK(with_code(findings_of(denying("execve", R"(LOG")")), "CC506").empty());
    CHECK(about(denying("setgid", R"(ERRNO", "errnoRet": 0)"), Consumer::runc).severity == Severity::warning);
    CHECK(about(denying("setgid", R"(NOTIFY")"), Consumer::runc).severity == Severity::warning);
    // Conditions: some arguments, and all of them.
    const std::string some = R"(ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 22}])";
    const std::string all = R"(ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_GE", "value": 0}])";
    CHECK(about(denying("prctl", some), Consumer::runc).severity == Severity::warning);
    CHECK(about(denying("prctl", some), Consumer::runc).message.find("for some arguments") !=
          std::string::npos);
    CHECK(about(denying("prctl", all), Consumer::runc).severity == Severity::error);
    // A rule counts where it holds, for those who read its conditions.
    const std::string without_admin = R"(ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]})";
    const std::string with_admin = R"(ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]})";
    CHECK(about(denying("execve", without_admin), Consumer::docker).severity == Severity::error);
    CHECK(
        with_code(findings_of(denying("execve", with_admin), for_only({Consumer::docker})), "CC506").empty());
    CHECK(about(denying("execve", with_admin), Consumer::containerd).severity == Severity::error);
    // An allowance for other containers is none.
    Json for_others = Json::parse(without({"execve"}));
    for_others["syscalls"].push_back(
        Json::parse(R"({"names": ["execve"], "includes": {"caps": ["CAP_BPF"]}, )" + allow + "}"));
    CHECK(about(for_others.dump(), Consumer::docker).severity == Severity::error);
    CHECK(with_code(findings_of(for_others.dump(), for_only({Consumer::runc})), "CC506").empty());
}

TEST_CASE("a profile that rests on a base profile is not judged by what it leaves to that") {
    const std::string text = profile_with(R"({"baseProfileName": "runc-v1.1", "syscalls": []})");
    for (const char* code : {"CC504", "CC506"}) {
        CAPTURE(code);
        CHECK(with_code(findings_of(text), code).empty());
        CHECK_FALSE(with_code(findings_of(profile_with(R"({"syscalls": []})")), code).empty());
    }
}

TEST_CASE("denials by rules that programs do not go on from are found, whatever the rule's form") {
    const auto found = [](const std::string& rule, std::vector<Consumer> consumers = default_consumers()) {
        const auto findings =
            with_code(findings_of(open_with(rule), for_only(std::move(consumers))), "CC502");
        return static_cast<int>(findings.size());
    };
    const auto denying = [](const std::string& name, const std::string& rest) {
        return R"({"names": [")" + name + R"("], "action": "SCMP_ACT_)" + rest + "}";
    };
    for (const char* name : {"clone3", "faccessat2", "openat2", "statx", "fchmodat2", "futex_waitv",
                             "epoll_pwait2", "renameat2", "clock_gettime64", "timerfd_settime64"}) {
        CAPTURE(name);
        CHECK(found(denying(name, R"(ERRNO")")) == 1);
        CHECK(found(denying(name, R"(ERRNO", "errnoRet": 22)")) == 1);
        CHECK(found(denying(name, R"(KILL_PROCESS")")) == 1);
        CHECK(found(denying(name, R"(ERRNO", "errnoRet": 38)")) == 0);
        CHECK(found(denying(name, R"(TRACE")")) == 0);
        CHECK(found(denying(name, R"(NOTIFY")")) == 0);
        CHECK(found(denying(name, R"(LOG")")) == 0);
        CHECK(found(denying(name, R"(ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_NE", "value": 5}])")) ==
              1);
    }
    // Any error will do for these, but no end: a note, and only where somebody has meant the call.
    for (const char* name : {"rseq", "close_range"}) {
        CAPTURE(name);
        const auto severity = [&](const std::string& rest) {
            return with_code(findings_of(open_with(denying(name, rest))), "CC502").at(0).severity;
        };
        CHECK(severity(R"(ERRNO")") == Severity::note);
        CHECK(severity(R"(KILL")") == Severity::warning);
        CHECK(found(denying(name, R"(ERRNO", "errnoRet": 38)")) == 0);
    }
    // Where the older call is denied as well, there is nothing to go back to.
    CHECK(found(denying("clone3", R"(ERRNO")") + "," + denying("clone", R"(ERRNO")")) == 0);
    const std::string with_admin = R"(ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]})";
    const std::string without_admin = R"(ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]})";
    CHECK(found(denying("clone3", without_admin), {Consumer::docker}) == 1);
    CHECK(found(denying("clone3", with_admin), {Consumer::docker}) == 1);
    CHECK(found(denying("clone3", with_admin), {Consumer::runc}) == 1);
    // Containers that have the older call only, by a capability.
    const std::string for_admins =
        R"({"names": ["clone"], "includes": {"caps": ["CAP_SYS_ADMIN"]}, )" + allow + "}";
    CHECK(with_code(findings_of(profile_with(R"({"defaultErrnoRet": 1})", for_admins),
                                for_only({Consumer::podman})),
                    "CC502")
              .front()
              .message.find("clone3") == 0);
    // Podman alone reads the errno's name.
    CHECK(found(denying("clone3", R"(ERRNO", "errno": "ENOSYS")"), {Consumer::podman}) == 0);
    CHECK(found(denying("clone3", R"(ERRNO", "errno": "ENOSYS")"), {Consumer::docker}) == 1);
    // A rule that says what the default says takes runc's ENOSYS away, too.
    const std::string eperm =
        profile_with(R"({"defaultErrnoRet": 1})",
                     R"({"names": ["clone"], )" + allow + "}," + R"({"names": ["clone3"], )" + deny + "}");
    CHECK(with_code(findings_of(eperm, for_only({Consumer::runc})), "CC502").size() == 1);
}

TEST_CASE("calls with the same users are named together") {
    const auto found = with_code(
        findings_of(open_with(R"({"names": ["timer_gettime64", "timer_settime64", "recvmmsg_time64"], )" +
                              deny + "}")),
        "CC502");
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.find(
              "timer_gettime64, timer_settime64 and recvmmsg_time64: each is denied with EPERM") == 0);
}

TEST_CASE("a list of denied calls is told what it leaves open") {
    const auto message = [](const std::string& names, const std::string& rest = "") {
        const auto found =
            with_code(findings_of(open_with(R"({"names": )" + names + ", " + deny + rest + "}")), "CC516");
        std::string all;
        for (const Finding& finding : found) {
            CHECK(finding.severity == Severity::note);
            all += finding.message + "\n";
        }
        return all;
    };
    CHECK(message(R"(["chmod"])") ==
          "chmod is denied, and fchmod, fchmodat and fchmodat2 are open: other forms of the same call\n");
    struct {
        const char* denied;
        std::vector<std::string> open;
    } const cases[]{
        {"rename", {"renameat", "renameat2"}},
        {"link", {"linkat"}},
        {"unlink", {"unlinkat"}},
        {"mkdir", {"mkdirat"}},
        {"mknod", {"mknodat"}},
        {"chown", {"fchown", "lchown", "fchownat", "chown32"}},
        {"setxattr", {"lsetxattr", "fsetxattr", "setxattrat"}},
        {"removexattr", {"removexattrat"}},
        {"kill", {"tkill", "tgkill", "pidfd_send_signal", "rt_sigqueueinfo"}},
        {"socketcall", {"socket", "connect"}},
        {"ipc", {"msgget", "semget"}},
        {"ptrace", {"process_vm_readv", "process_vm_writev", "pidfd_getfd"}},
        {"mount", {"fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr"}},
        {"open", {"openat", "openat2", "creat", "open_by_handle_at"}},
        {"execve", {"execveat"}},
        {"init_module", {"finit_module"}},
        {"kexec_load", {"kexec_file_load"}},
        {"setuid", {"setreuid", "setresuid", "setuid32"}},
        {"settimeofday", {"clock_settime", "adjtimex"}},
        {"unshare", {"clone", "clone3"}},
        {"umount", {"umount2"}},
        {"connect", {"io_uring_setup"}},
        {"truncate", {"ftruncate"}},
        {"utime", {"utimes", "utimensat"}},
    };
    for (const auto& [denied, open] : cases) {
        CAPTURE(denied);
        const std::string said = message(std::string("[\"") + denied + "\"]");
        CAPTURE(said);
        for (const std::string& name : open) {
            CAPTURE(name);
            CHECK(said.find(name) != std::string::npos);
        }
    }
    CHECK(message(R"(["bpf", "userfaultfd", "acct"])").empty());
    // Programs cannot do without clone.
    CHECK(with_code(findings_of(open_with(R"({"names": ["unshare"], )" + deny + "}")), "CC516")
              .front()
              .fix.find("deny clone where") == 0);
    CHECK(message(R"(["rename", "renameat", "renameat2"])").find("other forms") == std::string::npos);
    // fork has no flags, so that it is no way round a condition on them.
    const std::string newuser =
        R"(, "args": [{"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}])";
    CHECK(message(R"(["clone"])", newuser).find("clone is denied, and clone3 is open") != std::string::npos);
    // ENOSYS sends libc from clone3 to clone, whose flags can be looked at.
    CHECK(with_code(
              findings_of(open_with(R"({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})")),
              "CC516")
              .empty());
    // Where the default denies, what is open was opened.
    CHECK(with_code(findings_of(rules(R"({"names": ["fchmod"], )" + allow + R"(}, {"names": ["chmod"], )" +
                                      deny + "}")),
                    "CC516")
              .empty());
}

TEST_CASE("what derive makes is clean") {
    Recording recording;
    recording.command = {"ls"};
    for (const std::string_view name :
         {"read", "write", "clone", "openat", "access", "stat", "mmap", "socket", "io_uring_setup"}) {
        CallRecord record;
        record.call = {Abi::x86_64, syscall_number(Abi::x86_64, name).value()};
        record.count = 1;
        recording.calls.push_back(record);
    }
    for (const std::optional<Action> action :
         {std::optional<Action>(), std::optional<Action>(Action::kill_process)}) {
        DeriveOptions options;
        options.default_action = action;
        const auto derived = derive({&recording, 1}, options);
        const auto findings = findings_of(write_profile(derived.profile));
        INFO(shown(findings));
        // Where a denial kills, libc cannot fall back, and lint says so.
        CHECK(count_from(findings, Severity::error) == 0);
        if (!action) CHECK(count_from(findings, Severity::warning) == 0);
    }
}

TEST_CASE("a SeccompProfile is judged with the places in its YAML") {
    const std::string text =
        "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\n"
        "kind: SeccompProfile\n"
        "metadata:\n"
        "  name: ours\n"
        "spec:\n"
        "  defaultAction: SCMP_ACT_ERRNO\n"
        "  baseProfileName: runc-v1.1\n"
        "  syscalls:\n"
        "  - action: SCMP_ACT_ALOW\n"
        "    names:\n"
        "    - read\n"
        "    - raed\n";
    const auto findings = findings_of(text, for_only({Consumer::spo}));
    INFO(shown(findings));
    const auto misspelt = with_code(findings, "CC201");
    REQUIRE(misspelt.size() == 1);
    CHECK(misspelt[0].place == Place{12, 7});
    const auto action = with_code(findings, "CC102");
    REQUIRE(action.size() == 1);
    CHECK(action[0].place == Place{9, 13});
    CHECK(with_code(findings, "CC110").empty());
}

TEST_CASE("a reader that goes on understands what it can") {
    const auto read = read_leniently(
        R"({"defaultAction": "ERRNO", "architectures": ["SCMP_ARCH_X86_64", 5], "syscalls": [
  {"names": ["read"], "action": "SCMP_ACT_ALOW"},
  7,
  {"names": ["a", null, "b"], "name": "c", "action": "NONSENSE", "args": [{"index": 9, "op": "?"}]}]})",
        "p.json");
    REQUIRE(read);
    const Profile& profile = read->profile;
    CHECK(profile.default_action == Action::errno_);
    REQUIRE(profile.rules.size() == 3);
    CHECK(profile.rules[0].action == Action::allow);
    CHECK(profile.rules[2].names == std::vector<std::string>{"a", "", "b"});
    CHECK(profile.rules[2].args.at(0).index == 9);
    CHECK(read->place_of("syscalls[2].names[2]") == Place{4, 25});
    CHECK(read->place_of("syscalls[2].names[2].none[4]") == Place{4, 25});
    CHECK(read->place_of("nothing") == Place{1, 1});
    std::multiset<Fault::Kind> kinds;
    for (const Fault& fault : read->faults) kinds.insert(fault.kind);
    using Kind = Fault::Kind;
    CHECK(kinds == std::multiset<Kind>{Kind::missing, Kind::malformed, Kind::malformed, Kind::malformed,
                                       Kind::action, Kind::action, Kind::action, Kind::comparison,
                                       Kind::index, Kind::name_and_names});
}

TEST_CASE("parse_profile refuses for the first fault that is found, repeated keys apart") {
    for (const Example& example : examples()) {
        const auto read = read_leniently(example.bad, "p.json");
        REQUIRE(read);
        const auto first = std::find_if(read->faults.begin(), read->faults.end(), [](const Fault& fault) {
            return fault.kind != Fault::Kind::repeated_key;
        });
        const auto parsed = parse_profile(example.bad, "p.json");
        REQUIRE(parsed.has_value() == (first == read->faults.end()));
        if (parsed) {
            CHECK(*parsed == read->profile);
        } else {
            CHECK(parsed.error().message == first->message);
            CHECK(parsed.error().where ==
                  "p.json:" + std::to_string(first->place.line) + ":" + std::to_string(first->place.column));
        }
    }
}

TEST_CASE("published default profiles have no errors for those who publish them") {
    const auto docker = findings_of(file(CALLCENSUS_SOURCE_DIR "/tests/golden/docker-default.json"),
                                    for_only({Consumer::docker}));
    INFO(shown(docker));
    CHECK(count_from(docker, Severity::error) == 0);
    CHECK(with_code(docker, "CC201").empty());  // breakpoint and others of single ABIs are known
    const std::string containers = "/usr/share/containers/seccomp.json";  // golang-github-containers-common
    if (!std::ifstream(containers)) return;
    const auto podman = findings_of(file(containers), for_only({Consumer::podman}));
    INFO(shown(podman));
    CHECK(count_from(podman, Severity::error) == 0);
    CHECK(with_code(podman, "CC201").empty());
    // Allowed to everybody by an earlier rule, although it was to be denied without CAP_SYS_ADMIN.
    CHECK(with_code(podman, "CC302").size() == 1);
}

TEST_CASE("any text that is JSON is judged without harm") {
    for (const std::string text :
         {"[]", "5", "null", "\"\"", R"({"syscalls": [[], {}, null]})",
          R"({"defaultAction": "", "syscalls": [{"names": [""], "action": "", "args": [{}]}]})"}) {
        CAPTURE(text);
        CHECK(count_from(findings_of(text), Severity::error) > 0);
    }
}

}  // namespace lint_test
