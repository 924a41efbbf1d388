// Every format against golden files: tests/golden/FORMAT/PROFILE.SUFFIX holds what is to be written of
// tests/golden/profiles/PROFILE.json, and PROFILE.losses what it cannot say, a line each. Where a format has
// a reader and nothing was lost, reading gives the same policy again.
//
// With CALLCENSUS_WRITE_GOLDEN=1 in the environment the files are written instead; git shows the difference.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "callcensus/describe.hpp"
#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "catch.hpp"
#include "format/flat_profile.hpp"
#include "random_profiles.hpp"

namespace formats_test {

using namespace callcensus;
using namespace callcensus::flat;

namespace {

const std::filesystem::path golden = std::string(CALLCENSUS_SOURCE_DIR) + "/tests/golden";

std::string file(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    CAPTURE(path.string());
    REQUIRE(stream);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
}

void check_golden(const std::filesystem::path& path, const std::string& content) {
    CAPTURE(path.string());
    if (std::getenv("CALLCENSUS_WRITE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
        return;
    }
    CHECK(content == file(path));
}

std::vector<std::filesystem::path> golden_profiles() {
    std::vector<std::filesystem::path> paths{golden / "baselines/docker-shape.json"};
    for (const auto& entry : std::filesystem::directory_iterator(golden / "profiles"))
        paths.push_back(entry.path());
    return paths;
}

WriteContext context_for(const std::filesystem::path& path) {
    WriteContext context;
    context.source = path.filename().string();
    context.name = path.stem().string();
    context.machine = {"amd64", docker_default_capabilities(), {6, 1}};
    return context;
}

// What a profile means, in an order of its own.
std::vector<std::string> meaning(const Profile& profile, const Machine& machine) {
    const Profile flat = resolve(profile, machine);
    std::vector<std::string> lines{"default " + name_of(default_decision(flat))};
    for (const Abi abi : covered_abis(flat, machine)) lines.push_back("abi " + std::string(info(abi).id));
    for (const CallPolicy& call : policy_by_call(flat)) {
        if (call.always) lines.push_back(call.name + " " + name_of(*call.always));
        for (const ConditionalDecision& some : call.sometimes) {
            std::vector<std::string> conditions;
            for (const ArgumentCondition& each : some.conditions)
                conditions.push_back(std::to_string(each.index) + " " + std::string(token(each.op)) + " " +
                                     std::to_string(each.value) + " " + std::to_string(each.value_two));
            std::sort(conditions.begin(), conditions.end());
            std::string line = call.name + " " + name_of(some.decision);
            for (const std::string& condition : conditions) line += " if " + condition;
            lines.push_back(line);
        }
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

Rule allow(const std::string& call) {
    Rule rule;
    rule.names = {call};
    return rule;
}

Profile profile_of(Rule rule) {
    Profile profile;
    profile.default_action = Action::kill_process;
    profile.architectures = {"SCMP_ARCH_X86_64"};
    profile.rules.push_back(std::move(rule));
    return profile;
}

Written as(const std::string& format, const Profile& profile) {
    WriteContext context;
    context.machine.arch = "amd64";
    const auto written = write_as(*find_format(format), profile, context);
    REQUIRE(written);
    return *written;
}

}  // namespace

TEST_CASE("every format writes what its golden files hold") {
    for (const FormatInfo& format : all_formats()) {
        for (const std::filesystem::path& path : golden_profiles()) {
            CAPTURE(format.id, path.string());
            const auto profile = parse_profile(file(path), path.string());
            REQUIRE(profile);
            WriteContext context = context_for(path);
            if (format.compiled) {
                // Not libseccomp's: its code differs from release to release.
                if (context.name != "small") continue;
                context.filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, 0x7fff0000), BPF_STMT(BPF_RET | BPF_K, 0)};
                context.pfc = "# a filter\n";
            }
            const auto written = write_as(format, *profile, context);
            REQUIRE(written);
            const std::filesystem::path folder = golden / std::string(format.id);
            check_golden(folder / (context.name + std::string(format.suffix)), written->content);
            std::string losses;
            for (const std::string& loss : written->losses) losses += loss + "\n";
            check_golden(folder / (context.name + ".losses"), losses);
            if (format.read == nullptr || !written->losses.empty()) continue;
            const auto again = read_profile(written->content, "again");
            if (!again) FAIL(again.error().text());
            CHECK(meaning(*again, context.machine) == meaning(*profile, context.machine));
        }
    }
}

TEST_CASE("the table of formats is complete") {
    for (const FormatInfo& format : all_formats()) {
        CAPTURE(format.id);
        CHECK(find_format(format.id) == &format);
        CHECK(format.write != nullptr);
        CHECK(format.suffix.front() == '.');
    }
    CHECK(find_format("kafel") == nullptr);
    CHECK(find_format("") == nullptr);
}

TEST_CASE("a machine decides the conditions of Docker's rules") {
    const auto profile = parse_profile(file(golden / "baselines/docker-shape.json"), "docker-shape");
    REQUIRE(profile);
    const auto decides = [&](const Machine& machine, const std::string& call) -> std::string {
        for (const CallPolicy& policy : policy_by_call(resolve(*profile, machine)))
            if (policy.name == call) return policy.always ? name_of(*policy.always) : "sometimes";
        return "default";
    };
    const Machine ordinary{"amd64", docker_default_capabilities(), {6, 1}};
    Machine admin = ordinary;
    admin.caps.insert("CAP_SYS_ADMIN");
    CHECK(decides(ordinary, "sethostname") == "EACCES");
    CHECK(decides(admin, "sethostname") == "SCMP_ACT_ALLOW");
    CHECK(decides(ordinary, "clone") == "sometimes");
    CHECK(decides(admin, "clone") == "default");
    CHECK(decides(ordinary, "arch_prctl") == "SCMP_ACT_ALLOW");
    Machine arm = ordinary;
    arm.arch = "arm64";
    CHECK(decides(arm, "arch_prctl") == "default");
    CHECK(decides(arm, "set_tls") == "SCMP_ACT_ALLOW");
    CHECK(resolve(*profile, arm).architectures ==
          std::vector<std::string>{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"});
    Machine old = ordinary;
    old.kernel = {4, 7};
    CHECK(decides(ordinary, "ptrace") == "SCMP_ACT_ALLOW");
    CHECK(decides(old, "ptrace") == "default");
    old.kernel = {4, 10};  // and not as a decimal fraction
    CHECK(decides(old, "ptrace") == "SCMP_ACT_ALLOW");
}

TEST_CASE("docker gets families in place of a list") {
    Profile profile = profile_of(allow("read"));
    profile.architectures = {"SCMP_ARCH_ARM", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_PPC64LE"};
    const Written written = as("docker", profile);
    const auto again = parse_profile(written.content, "again");
    REQUIRE(again);
    CHECK(again->architectures.empty());
    CHECK(again->arch_map == std::vector<ArchitectureFamily>{{"SCMP_ARCH_AARCH64", {"SCMP_ARCH_ARM"}},
                                                             {"SCMP_ARCH_X86_64", {"SCMP_ARCH_X86"}},
                                                             {"SCMP_ARCH_PPC64LE", {}}});
}

TEST_CASE("text for YAML is quoted where a reader could take it for something else") {
    Profile profile = profile_of(allow("read"));
    profile.listener_path = "/run/a";
    profile.listener_metadata = "on";
    CHECK(as("spo", profile).content.find("listenerMetadata: \"on\"") != std::string::npos);
    profile.listener_metadata = "a: b\n# c \xc3\xa9 \"";
    CHECK(as("spo", profile).content.find("listenerMetadata: \"a: b\\n# c \xc3\xa9 \\\"\"") !=
          std::string::npos);
    profile.listener_metadata = "\xff";  // not UTF-8
    CHECK(as("spo", profile).content.find("listenerMetadata: \"?\"") != std::string::npos);
}

TEST_CASE("Kubernetes gets a name that it accepts") {
    WriteContext context;
    for (const auto& [name, expected] : std::vector<std::pair<std::string, std::string>>{
             {"My_Server.v1", "my-server.v1"},
             {"--x--", "x"},
             {"", "profile"},
             {"\xc3\xa9", "profile"},
             {"a..b", "a--b"},
             {"a.-b.c", "a--b.c"},
             {std::string(252, 'a') + "-b", std::string(252, 'a')}}) {
        context.name = name;
        const auto written = write_as(*find_format("spo"), profile_of(allow("read")), context);
        REQUIRE(written);
        CHECK(written->content.find("  name: " + expected + "\n") != std::string::npos);
    }
}

TEST_CASE("no comment of a rule becomes more than a comment") {
    Rule rule = allow("read");
    rule.comment = "a\nSystemCallFilter=bpf\r\nbpf: 1";
    for (const std::string format : {"spo", "systemd", "minijail"}) {
        CAPTURE(format);
        std::istringstream lines(as(format, profile_of(rule)).content);
        for (std::string line; std::getline(lines, line);)
            if (line.find("bpf") != std::string::npos) CHECK(line.front() == '#');
    }
}

TEST_CASE("no name of a call and no key becomes more than that") {
    Rule rule = allow("read");
    for (const std::string name : {"@system-service", "~bpf", "bpf\nSystemCallFilter=bpf", "a b", "x\nbpf: 1",
                                   "", "x:EPERM", "\"bpf\"", "bpf\n- bpf"})
        rule.names.push_back(name);
    rule.comment = "why";
    Profile profile = profile_of(rule);
    profile.flags = {"a\nb"};
    profile.unknown = {{"c\nd", "1"}};
    for (const std::string format : {"systemd", "minijail"}) {
        const Written written = as(format, profile);
        CAPTURE(written.content);
        std::istringstream lines(written.content);
        for (std::string line; std::getline(lines, line);)
            if (line.front() != '#') {
                CHECK(line.find("bpf") == std::string::npos);
                CHECK(line.find('@') == std::string::npos);
            }
        for (const std::string& loss : written.losses) CHECK(loss.find('\n') == std::string::npos);
    }
    const auto again = read_profile(as("spo", profile).content, "again");
    REQUIRE(again);
    CHECK(again->rules.at(0).names == rule.names);
}

TEST_CASE("what cannot be said is left out, and never allowed") {
    Rule rule = allow("socket");
    rule.args = {{0, std::uint64_t{1} << 63, 0, Comparison::eq}};
    const Written spo = as("spo", profile_of(rule));
    CHECK(spo.losses.size() == 1);
    CHECK(spo.content.find("- socket") == std::string::npos);
    const Written systemd = as("systemd", profile_of(rule));
    CHECK(systemd.losses.at(1) == "conditions on the arguments of socket: denied always");
    CHECK(systemd.content.find("socket") == std::string::npos);
}

TEST_CASE("minijail's policies are read as minijail0 has them") {
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    const auto lines = [&](const std::string& text) {
        const auto profile = read_profile(text, "p.policy");
        if (!profile) FAIL(profile.error().text());
        std::vector<std::string> all = meaning(*profile, machine);
        std::erase(all, "abi x86_64");
        std::erase(all, "default SCMP_ACT_KILL_PROCESS");
        return all;
    };
    using Lines = std::vector<std::string>;
    const std::string allowed = " SCMP_ACT_ALLOW";
    CHECK(lines("# x\n\nread: 1\nwrite:allow # y\n@frequency ./f\nkill: return 13\nopen: return EPERM") ==
          Lines{"kill EACCES", "open EPERM", "read" + allowed, "write" + allowed});
    CHECK(lines("a: arg0 == 0x10 || \\\n  arg5 != 010\r\n") ==
          Lines{"a" + allowed + " if 0 SCMP_CMP_EQ 16 0", "a" + allowed + " if 5 SCMP_CMP_NE 8 0"});
    CHECK(lines("a: arg0 <= 1 && arg1 < 2 && arg2 >= 3 && arg3 > -1") ==
          Lines{"a" + allowed +
                " if 0 SCMP_CMP_LE 1 0 if 1 SCMP_CMP_LT 2 0 if 2 SCMP_CMP_GE 3 0 if 3 "
                "SCMP_CMP_GT 18446744073709551615 0"});
    // Any of the bits; no bit but these; and both together.
    CHECK(lines("a: arg0 & 6") == Lines{"a" + allowed + " if 0 SCMP_CMP_MASKED_EQ 2 2",
                                        "a" + allowed + " if 0 SCMP_CMP_MASKED_EQ 4 4"});
    CHECK(lines("a: arg0 in ~(PROT_WRITE|0x8)") == Lines{"a" + allowed + " if 0 SCMP_CMP_MASKED_EQ 10 0"});
    CHECK(lines("a: arg0 & 1 && arg0 in 0xfffffffffffffffd") ==
          Lines{"a" + allowed + " if 0 SCMP_CMP_MASKED_EQ 3 1"});
    CHECK(lines("a: arg0 & 1 && arg0 == 5") == Lines{"a" + allowed + " if 0 SCMP_CMP_EQ 5 0"});
    CHECK(lines("a: arg0 & 1 && arg0 == 4").empty());  // never
    // A profile's rules have one condition for each argument.
    const auto decides = [&](const std::string& text, std::uint64_t argument) {
        const auto profile = read_profile(text, "p.policy");
        REQUIRE(profile);
        return describe(meaning_of(*profile, machine).value().decide(Abi::x86_64, "read", {argument}));
    };
    for (std::uint64_t argument = 0; argument < 6; ++argument) {
        CAPTURE(argument);
        const bool inside = argument >= 2 && argument <= 3;
        CHECK(decides("read: arg0 >= 2 && arg0 <= 3", argument) ==
              (inside ? "allowed" : "kills the process"));
        CHECK(decides("read: arg0 == 2 || arg0 == 3; return EPERM", argument) ==
              (inside ? "allowed" : "denied with EPERM"));
        CHECK(decides("read: arg0 & 2 && arg0 != 6 && arg0 < 4; return EPERM", argument) ==
              (inside ? "allowed" : "denied with EPERM"));
    }
    // `return` is for where the condition does not hold.
    CHECK(lines("a: arg0 == 1; return EPERM") ==
          Lines{"a EPERM if 0 SCMP_CMP_NE 1 0", "a" + allowed + " if 0 SCMP_CMP_EQ 1 0"});
    CHECK(lines("a: arg0 == 1 && arg1 & 2; return EPERM") ==
          Lines{"a EPERM if 0 SCMP_CMP_NE 1 0", "a EPERM if 1 SCMP_CMP_MASKED_EQ 2 0",
                "a" + allowed + " if 0 SCMP_CMP_EQ 1 0 if 1 SCMP_CMP_MASKED_EQ 2 2"});
    CHECK(lines("@default trap\nread: 1") == Lines{"default SCMP_ACT_TRAP", "read" + allowed});
    CHECK(lines("@denylist\nread: return 1") == Lines{"default SCMP_ACT_ALLOW", "read EPERM"});
}

TEST_CASE("the operator's YAML is read as the operator reads it") {
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    const std::string head =
        "\xef\xbb\xbf# a comment with \xc3\xa9\n---\nkind: SeccompProfile\napiVersion: "
        "security-profiles-operator.x-k8s.io/v1beta1\nstatus: {a: b}\n";
    const auto profile = read_profile(head + R"(spec:
  state: Enabled
  defaultAction: "SCMP_ACT_ERRNO"
  architectures: [SCMP_ARCH_X86_64]
  syscalls:
  - {action: SCMP_ACT_ERRNO, errnoRet: "13", names: [chroot]}
  - {action: SCMP_ACT_ERRNO, errnoRet: 0, names: [chown]}
  - action: SCMP_ACT_ALLOW
    names: ['read']
    args:
    - {index: 0, op: SCMP_CMP_EQ}
    - {index: 1, value: 0x10, valueTwo: 020, op: SCMP_CMP_MASKED_EQ}
)",
                                      "p.yaml");
    if (!profile) FAIL(profile.error().text());
    CHECK(profile->unknown.empty());
    CHECK(meaning(*profile, machine) ==
          std::vector<std::string>{"abi x86_64", "chroot EACCES", "default EPERM",
                                   "read SCMP_ACT_ALLOW if 0 SCMP_CMP_EQ 0 0 if 1 SCMP_CMP_MASKED_EQ 16 16"});
    const auto wrong = read_profile(head + "spec: {defaultAction: SCMP_ACT_KILL, syscalls: [\xc3\xa9]}", "p");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().text() == "p:6:49: spec.syscalls[0] must be an object");
}

TEST_CASE("what is written and read again never allows more, and the same where nothing was lost") {
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    std::size_t lossless = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        testing::RandomProfiles random(seed);
        testing::RandomProfiles::Wishes wishes;
        wishes.large_constants = seed % 2 == 0;
        wishes.contexts = seed % 5 == 0;
        Profile profile = random.profile(wishes);
        if (seed % 3 == 0) profile.default_action = Action::kill_process;
        const auto before = meaning_of(profile, machine);
        REQUIRE(before);
        for (const FormatInfo& format : all_formats()) {
            if (format.read == nullptr) continue;
            WriteContext context;
            context.machine = machine;
            const auto written = write_as(format, profile, context);
            REQUIRE(written);
            CAPTURE(seed, format.id, written->content);
            auto again = read_profile(written->content, "again");
            if (!again) FAIL(again.error().text());
            const auto after = meaning_of(*again, machine);
            REQUIRE(after);
            lossless += written->losses.empty() ? 1U : 0U;
            for (const std::string call :
                 {"read", "clone", "socket", "socketcall", "statx", "mseal", "futex"})
                for (int i = 0; i < 20; ++i) {
                    const Arguments arguments = random.arguments(wishes.large_constants);
                    const Decision was = before->decide(Abi::x86_64, call, arguments);
                    const Decision is = after->decide(Abi::x86_64, call, arguments);
                    CAPTURE(call, arguments[0], arguments[1], arguments[2], describe(was), describe(is));
                    if (written->losses.empty()) CHECK(is == was);
                    if (lets_through(is.action)) CHECK(lets_through(was.action));
                }
        }
    }
    CHECK(lossless > 400);
}

TEST_CASE("what a writer writes its reader reads, at every limit") {
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    const std::vector<std::uint32_t> errnos{0, 1, 38, 95, 133, 134, 511, 512, 516, 4094, 4095};
    const std::vector<std::uint64_t> values{0,          1,          0x7fffffff,    0x80000000,
                                            0xffffffff, 1ULL << 32, INT64_MAX,     1ULL << 63,
                                            UINT64_MAX, 0x5401,     UINT64_MAX - 1};
    const std::vector<Action> actions{Action::allow,       Action::errno_,       Action::kill,
                                      Action::kill_thread, Action::kill_process, Action::trap,
                                      Action::trace,       Action::log};
    std::vector<Profile> profiles;
    for (const Action by_default : {Action::allow, Action::errno_, Action::kill_process, Action::trap})
        for (const Action action : actions)
            for (std::size_t i = 0; i < errnos.size(); ++i) {
                Profile profile = profile_of(allow("read"));
                profile.default_action = by_default;
                if (by_default == Action::errno_) profile.default_errno_ret = errnos[(i * 7) % errnos.size()];
                profile.rules[0].action = action;
                profile.rules[0].errno_ret = errnos[i];
                Rule conditional = allow("write");
                conditional.action = action;
                conditional.errno_ret = errnos[i];
                const ComparisonInfo& op = all_comparisons()[i % all_comparisons().size()];
                conditional.args = {{static_cast<std::uint32_t>(i % 6), values[i], values[i], op.comparison}};
                profile.rules.push_back(conditional);
                if (i % 2 == 0) profile.flags = {"SECCOMP_FILTER_FLAG_LOG"};
                if (i % 3 == 0) profile.listener_path = "/run/x: y #.sock";
                if (i % 3 == 0) profile.listener_metadata = "\n\"'\t- {";
                profiles.push_back(profile);
            }
    for (const Profile& profile : profiles)
        for (const FormatInfo& format : all_formats()) {
            if (format.read == nullptr) continue;
            WriteContext context;
            context.machine = machine;
            const auto written = write_as(format, profile, context);
            REQUIRE(written);
            CAPTURE(format.id, written->content);
            const auto again = read_profile(written->content, "again");
            if (!again) FAIL(again.error().text());
            const auto before = meaning_of(profile, machine).value();
            const auto after = meaning_of(*again, machine).value();
            for (const std::string call : {"read", "write", "close"})
                for (const std::uint64_t value : values) {
                    Arguments arguments;
                    arguments.fill(value);
                    const Decision was = before.decide(Abi::x86_64, call, arguments);
                    const Decision is = after.decide(Abi::x86_64, call, arguments);
                    CAPTURE(call, value, describe(was), describe(is));
                    if (written->losses.empty()) CHECK(is == was);
                    if (lets_through(is.action)) CHECK(lets_through(was.action));
                }
            if (format.id == "spo" || format.id == "oci") {
                CHECK(again->listener_path == profile.listener_path);
                CHECK(again->listener_metadata == profile.listener_metadata);
                CHECK(again->flags == profile.flags);
            }
        }
}

TEST_CASE("minijail asks what libseccomp asks of socketcall") {
    Profile profile = profile_of(allow("socket"));
    profile.rules.front().names.emplace_back("connect");
    profile.architectures = {"SCMP_ARCH_X86"};
    CHECK(as("minijail", profile).content.find("\nsocketcall: arg0 == 1 || arg0 == 3\n") !=
          std::string::npos);
    CHECK(as("minijail", profile).losses.empty());
    profile.rules.push_back(allow("socketcall"));
    CHECK(as("minijail", profile).content.find("\nsocketcall: 1\n") != std::string::npos);
    CHECK(as("minijail", profile).losses.empty());
    profile.rules.pop_back();
    profile.default_action = Action::allow;
    profile.rules.front().action = Action::errno_;
    const Written denied = as("minijail", profile);
    CHECK(denied.content.find("\nsocketcall: return EPERM\n") != std::string::npos);
    CHECK(denied.losses.size() == 1);
}

TEST_CASE("a policy of thousands of conditions is read, one that would take the memory is not") {
    std::string text = "read: arg0 == 0";
    for (int i = 1; i < 20'000; ++i) text += " || arg0 == " + std::to_string(i);
    const auto many = read_profile(text, "p");
    REQUIRE(many);
    CHECK(many->rules.size() == 20'000);
    text = "read: arg0 & 0xffff && arg1 & 0xffff";
    for (int i = 1; i < 2'000; ++i) text += " || arg0 & 0xffff && arg1 & 0xffff";
    const auto most = read_profile(text, "p");
    REQUIRE_FALSE(most);
    CHECK(most.error().text().find("more than two hundred thousand rules") != std::string::npos);
}

TEST_CASE("every beginning of a readable file is an error or a shorter file, never a crash") {
    for (const std::string name :
         {"spo/arguments.yaml", "minijail/arguments.policy", "minijail/denylist.policy"}) {
        const std::string text = file(golden / name);
        for (std::size_t length = 0; length < text.size(); ++length) {
            const auto profile = read_profile(std::string_view(text).substr(0, length), "p");
            if (!profile) CHECK(profile.error().text().find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("deep nesting and rubbish in other formats are refused without harm") {
    const std::string head = "kind: x\napiVersion: y\nspec: ";
    for (const std::string& text : std::vector<std::string>{
             head + std::string(100'000, '['), head + std::string(50'000, '{'), head + "\xff\xfe",
             "a: arg0 == " + std::string(100'000, '('), "a: arg0 == " + std::string(100'000, '~'),
             "a: arg0 & 0xffffffff && arg1 & 0xffffffff && arg2 & 0xffffffff", "@",
             "a:", "a: arg0 ==", "kind: [x]: y\n"}) {
        CAPTURE(text.substr(0, 60));
        const auto profile = read_profile(text, "p");
        REQUIRE_FALSE(profile);
        CHECK(profile.error().text().find('\n') == std::string::npos);
    }
}

}  // namespace formats_test
