#include "callcensus/show_report.hpp"

#include <nlohmann/json.hpp>

#include "callcensus/format.hpp"
#include "catch.hpp"

namespace show_report_test {

using namespace callcensus;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const ShownCall& find(const std::vector<ShownCall>& calls, const std::string& name) {
    for (const ShownCall& call : calls)
        if (call.call == name) return call;
    FAIL("there is no " << name);
    return calls.front();
}

Profile a_profile() {
    const auto profile = parse_profile(R"({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["read", "waitpid", "nosuchcall"], "action": "SCMP_ACT_ALLOW", "comment": "observed"},
            {"name": "bpf", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]},
             "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 7, "op": "SCMP_CMP_LT"}]},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
        ]})",
                                       "p.json");
    REQUIRE(profile);
    return *profile;
}

Recording a_recording() {
    Recording recording;
    recording.engine = "ptrace";
    recording.command = {"prog", "-x"};
    recording.executables = {"/bin/one", "/bin/two"};
    recording.processes = {{7, std::nullopt, Milliseconds(0), {0}, 1, ExitStatus{0, 0}}};
    CallRecord openat;
    openat.call = {Abi::x86_64, 257};
    openat.count = 9;
    openat.returned = {{0, 6}, {2, 3}};
    openat.by_executable = {{0, 2}, {1, 7}};
    openat.sites = {{"/lib/ld.so", "0a", 0x20, "", 0}, {"/lib/libc.so.6", "0b", 0x30, "open", 5}};
    CallRecord unknown;
    unknown.call = {Abi::x86_64, 999};
    unknown.count = 1;
    unknown.by_executable = {{0, 1}};
    recording.calls = {openat, unknown};
    recording.assumed = {{Abi::x86_64, 321}};  // bpf
    return recording;
}

}  // namespace

TEST_CASE("a profile is shown rule by rule") {
    const auto calls = shown_calls(a_profile());
    REQUIRE(calls.size() == 5);
    const ShownCall& bpf = find(calls, "bpf");
    CHECK(bpf.group == "allowed");
    CHECK(bpf.condition == "if arg0 == 5 and arg1 < 7, with CAP_BPF");
    CHECK(bpf.risk.cls == RiskClass::dangerous);
    CHECK(bpf.abis == std::vector{Abi::x86_64, Abi::i386});
    CHECK(find(calls, "waitpid").abis == std::vector{Abi::i386});
    CHECK(find(calls, "nosuchcall").abis.empty());
    CHECK(find(calls, "read").why == "observed");
    CHECK(find(calls, "clone3").group == "denied with EPERM");

    const std::string text = show_text("p.json", headlines(a_profile()), calls, false);
    CHECK(has(text, "by default a call is: denied with ENOSYS\n"));
    CHECK(has(text, "\nallowed, observed: 3\n"));
    CHECK(has(text, "  nosuchcall  none\n"));
    CHECK(has(text, "  read        all\n"));
    CHECK(has(text, "  waitpid     i386\n"));
    CHECK(has(text, "dangerous (CAP_BPF)"));
    // What is denied comes last, and there are no colours.
    CHECK(text.find("denied with EPERM: 1") > text.find("allowed: 1"));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(has(show_text("p.json", {}, calls, true), "\x1b[31m  bpf"));
}

TEST_CASE("a recording is shown with counts, errors and who called") {
    const std::vector<Recording> recordings{a_recording(), a_recording()};
    const auto calls = shown_calls(recordings);
    REQUIRE(calls.size() == 3);
    const ShownCall& openat = find(calls, "openat");
    CHECK(openat.count == 18);
    CHECK(openat.errors == std::vector<std::pair<std::string, std::uint64_t>>{{"ENOENT", 6}});
    CHECK(openat.uses == std::vector<Use>{{"/bin/two", 14, true}, {"/bin/one", 4, true}});
    CHECK(find(calls, "number 999").count == 2);
    CHECK(find(calls, "bpf").group == "known beforehand and not looked for");
    const std::string text = show_text("r.json", headlines(recordings), calls, false);
    CHECK(has(text, "prog -x: 0.000 s, 1 process, engine ptrace"));
    CHECK(has(text, "  openat      18     ENOENT 6  two, one  ld.so+0x20\n"));
    CHECK(openat.sites == a_recording().calls.front().sites);  // the same in both
    const auto json = nlohmann::json::parse(show_json("r.json", {}, calls));
    std::vector<std::string> symbols;
    for (const auto& call : json["calls"])
        for (const auto& site : call["sites"]) symbols.push_back(site["symbol"]);
    CHECK(symbols == std::vector<std::string>{"", "open"});
}

TEST_CASE("counts that are lower bounds say so") {
    std::vector<Recording> recordings{a_recording()};
    recordings.front().processes.front().scope = Scope::tree;
    const auto calls = shown_calls(recordings);
    CHECK_FALSE(find(calls, "openat").exact);
    CHECK(has(show_text("r.json", {}, calls, false), ">=9"));
}

TEST_CASE("shown calls are sorted by name, count or risk") {
    std::vector<ShownCall> calls(3);
    calls[0].call = "read";
    calls[0].count = 5;
    calls[1].call = "bpf";
    calls[1].count = 1;
    calls[1].risk = risk_of("bpf");
    calls[2].call = "close";
    calls[2].count = 7;
    const auto names = [&](ShowOrder order) {
        sort(calls, order);
        return calls[0].call + " " + calls[1].call + " " + calls[2].call;
    };
    CHECK(names(ShowOrder::name) == "bpf close read");
    CHECK(names(ShowOrder::count) == "close read bpf");
    CHECK(names(ShowOrder::risk) == "bpf close read");
}

TEST_CASE("what is shown is JSON for programs, and nothing in it reaches a terminal") {
    Profile profile = a_profile();
    profile.rules[0].comment = "\x1b[2J";
    const auto calls = shown_calls(profile);
    CHECK(show_text("a\x1b\n", {}, calls, false).find('\x1b') == std::string::npos);
    const auto object = nlohmann::json::parse(show_json("p.json", headlines(profile), calls));
    CHECK(object["file"] == "p.json");
    CHECK(object["calls"][3]["call"] == "bpf");
    CHECK(object["calls"][3]["condition"] == "if arg0 == 5 and arg1 < 7, with CAP_BPF");
    CHECK(object["calls"][3]["risk"]["class"] == "dangerous");
}

}  // namespace show_report_test
