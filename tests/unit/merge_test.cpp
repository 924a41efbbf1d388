#include "callcensus/merge.hpp"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>

#include "callcensus/diff.hpp"
#include "callcensus/format.hpp"
#include "catch.hpp"
#include "profiles.hpp"
#include "random_profiles.hpp"

namespace merge_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

// Allows a call, by further members.
std::string allow(const std::string& name, const std::string& members = {}) {
    return R"({"names": [")" + name + R"("], "action": "SCMP_ACT_ALLOW")" +
           (members.empty() ? "" : ", " + members) + "}";
}

std::string condition(int index, const std::string& op, const std::string& value) {
    return R"({"index": )" + std::to_string(index) + R"(, "op": "SCMP_CMP_)" + op + R"(", "value": )" +
           value + "}";
}

std::string if_first(const std::string& op, const std::string& value) {
    return "\"args\": [" + condition(0, op, value) + "]";
}

std::string with(const std::string& caps) { return R"("includes": {"caps": [)" + caps + "]}"; }
std::string without(const std::string& caps) { return R"("excludes": {"caps": [)" + caps + "]}"; }

std::vector<NamedProfile> named(std::vector<Profile> profiles) {
    std::vector<NamedProfile> named;
    for (Profile& profile : profiles)
        named.push_back({std::string(1, static_cast<char>('a' + named.size())), std::move(profile)});
    return named;
}

Merged merged(std::vector<Profile> profiles, MergeKind kind) {
    auto result = merge(named(std::move(profiles)), kind, machine());
    if (!result) FAIL(result.error().text());
    return *result;
}

// Without warnings.
Profile exactly(std::vector<Profile> profiles, MergeKind kind) {
    const Merged result = merged(std::move(profiles), kind);
    CHECK(result.warnings == std::vector<std::string>{});
    return result.profile;
}

// In every situation; what is different where it is not.
std::string difference(const Profile& a, const Profile& b) {
    const auto result = diff(a, b, {machine(), true});
    if (!result) return result.error().text();
    std::string text = result->empty() ? "" : "something";
    for (const CallChange& it : result->calls)
        text += "; " + it.call + " " + it.context + ": " + it.before + " -> " + it.after;
    return text;
}

Decision decide(const Profile& profile, const std::string& call, const Arguments& arguments = {}) {
    return meaning_of(profile, machine())->decide(Abi::x86_64, call, arguments);
}

constexpr auto unite = MergeKind::unite;
constexpr auto intersect = MergeKind::intersect;
constexpr auto subtract = MergeKind::subtract;
const Decision allowed{Action::allow, 0};
const Decision unknown_call{Action::errno_, ENOSYS};

Recording recording(const std::string& command, const std::vector<std::string>& calls) {
    Recording recording;
    recording.generator = "callcensus 1";
    recording.engine = "ptrace";
    recording.host = {"6.1.0", "x86_64"};
    recording.command = {command, "-v"};
    recording.started = std::chrono::system_clock::from_time_t(1'790'000'000) + std::chrono::milliseconds(7);
    recording.duration = Milliseconds(12.345);
    recording.status = ExitStatus{3, 0};
    recording.gaps = {"a gap of " + command};
    recording.notes = {"a note"};
    recording.executables = {"/bin/sh", "/bin/" + command};
    recording.processes = {{10, std::nullopt, Milliseconds(0), {0}, 1, ExitStatus{0, 15}},
                           {11, 0, Milliseconds(1.5), {0, 1}, 3, std::nullopt, Scope::executable}};
    for (const std::string& name : calls) {
        CallRecord call;
        call.call = {Abi::x86_64, syscall_number(Abi::x86_64, name).value()};
        call.count = 5;
        call.first = {Milliseconds(0.25), 1, 1};
        call.returned = {{0, 2}, {ENOENT, 1}};
        call.by_executable = {{0, 1}, {1, 4}};
        recording.calls.push_back(call);
    }
    std::sort(recording.calls.begin(), recording.calls.end(),
              [](const CallRecord& a, const CallRecord& b) { return a.call < b.call; });
    return recording;
}

std::vector<std::string> names(const Recording& recording) {
    std::vector<std::string> names;
    for (const CallRecord& record : recording.calls) names.push_back(syscall_name(record.call));
    std::sort(names.begin(), names.end());
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("published profiles merged with themselves mean what they meant") {
    for (const std::string path :
         {"/usr/share/containers/seccomp.json", CALLCENSUS_SOURCE_DIR "/tests/golden/docker-default.json"}) {
        std::ifstream file(path);
        if (!file) {
            WARN("not here: " << path);
            continue;
        }
        std::stringstream text;
        text << file.rdbuf();
        const auto published = parse_any(text.str(), path);
        REQUIRE(published);
        const Profile& profile = std::get<Profile>(*published);
        REQUIRE(profile.rules.size() > 5);
        for (const MergeKind kind : {unite, intersect}) {
            const Merged result = merged({profile, profile, profile}, kind);
            CAPTURE(path, static_cast<int>(kind));
            CHECK(difference(profile, result.profile).empty());
            for (const char* arch : {"amd64", "386", "arm64", "arm", "s390x", "riscv64"})
                for (const std::set<std::string>& caps :
                     {std::set<std::string>{}, docker_default_capabilities(),
                      std::set<std::string>{"CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYS_PTRACE"}})
                    for (const KernelVersion kernel : {KernelVersion{4, 7}, KernelVersion{6, 1}}) {
                        const Machine there{arch, caps, kernel};
                        const auto same = diff(profile, result.profile, {there, false});
                        REQUIRE(same);
                        CAPTURE(arch, caps.size(), kernel.major);
                        CHECK(same->empty());
                    }
        }
        const Profile nothing = merged({profile, profile}, subtract).profile;
        const auto meaning = meaning_of(nothing, machine());
        REQUIRE(meaning);
        for (const auto& [abi, calls] : meaning->calls)
            for (const auto& [name, call] : calls) {
                CAPTURE(info(abi).id, name);
                CHECK(call.let_through().empty());
            }
    }
}

TEST_CASE("one profile comes out as it went in, save for its form") {
    const Profile one = profile(allow("read", if_first("LE", "5") + R"(, "comment": "why")") + "," +
                                allow("write", if_first("GT", "4294967296")) + "," +
                                allow("mount", with("\"CAP_SYS_ADMIN\"")));
    for (const MergeKind kind : {unite, intersect, subtract})
        CHECK(difference(one, exactly({one}, kind)).empty());
    const auto nothing = merge({}, unite, machine());
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().text() == "there is nothing to merge");
    const auto elsewhere = merge(named({one}), unite, {"vax", {}, {}});
    REQUIRE_FALSE(elsewhere);
    CHECK(elsewhere.error().text() == "\"vax\" is no architecture that callcensus knows");
}

TEST_CASE("of two ways to let a call through a union takes the quiet one, an intersection the other") {
    const Profile quiet = profile(allow("read"));
    const Profile logged = profile(R"({"names": ["read"], "action": "SCMP_ACT_LOG"})");
    for (const auto& inputs : {std::vector{quiet, logged}, std::vector{logged, quiet}}) {
        CHECK(exactly(inputs, unite).rules.front().action == Action::allow);
        CHECK(exactly(inputs, intersect).rules.front().action == Action::log);
    }
}

TEST_CASE("capabilities, architectures and kernels are combined as conditions") {
    const std::string admin = "\"CAP_SYS_ADMIN\"";
    const std::string bpf = "\"CAP_BPF\"";
    const Profile if_admin = profile(allow("mount", with(admin)));
    const Profile if_bpf = profile(allow("mount", with(bpf)));
    const Profile always_on = profile(allow("mount"));
    CHECK(difference(exactly({if_admin, if_bpf}, unite),
                     profile(allow("mount", with(admin)) + "," + allow("mount", with(bpf))))
              .empty());
    CHECK(difference(exactly({if_admin, if_bpf}, intersect), profile(allow("mount", with(admin + "," + bpf))))
              .empty());
    CHECK(difference(exactly({if_admin, if_bpf}, subtract),
                     profile(allow("mount", with(admin) + "," + without(bpf))))
              .empty());
    CHECK(difference(exactly({always_on, if_bpf}, unite), always_on).empty());
    CHECK(difference(exactly({always_on, if_bpf}, intersect), if_bpf).empty());
    CHECK(difference(exactly({always_on, if_bpf}, subtract), profile(allow("mount", without(bpf)))).empty());

    const Profile on_arm = profile(allow("read", R"("includes": {"arches": ["arm64", "arm"]})"));
    const Profile off_arm = profile(allow("read", R"("excludes": {"arches": ["arm64"]})"));
    CHECK(difference(exactly({on_arm, off_arm}, unite), profile(allow("read"))).empty());
    CHECK(difference(exactly({on_arm, off_arm}, intersect),
                     profile(allow("read", R"("includes": {"arches": ["arm"]})")))
              .empty());
    const Profile from_4_8 = profile(allow("ptrace", R"("includes": {"minKernel": "4.8"})"));
    const Profile until_5_3 = profile(allow("ptrace", R"("excludes": {"minKernel": "5.3"})"));
    CHECK(difference(exactly({from_4_8, until_5_3}, intersect),
                     profile(allow("ptrace", R"("includes": {"minKernel": "4.8"},
                                                "excludes": {"minKernel": "5.3"})")))
              .empty());
    // And this check can tell: it does not call everything the same.
    CHECK(difference(if_admin, if_bpf) ==
          "something; mount with CAP_BPF, without CAP_SYS_ADMIN: denied with ENOSYS -> allowed; "
          "mount with CAP_SYS_ADMIN, without CAP_BPF: allowed -> denied with ENOSYS");
}

TEST_CASE("arguments are combined exactly") {
    const auto read_if = [](const std::string& op, const std::string& value) {
        return profile(allow("read", if_first(op, value)));
    };
    const auto allowed_for = [](const Profile& profile) {
        std::vector<unsigned> values;
        for (unsigned value = 0; value < 10; ++value)
            if (decide(profile, "read", {value}) == allowed) values.push_back(value);
        return values;
    };
    using Values = std::vector<unsigned>;
    CHECK(allowed_for(exactly({read_if("EQ", "1"), read_if("EQ", "7"), read_if("EQ", "2")}, unite)) ==
          Values{1, 2, 7});
    CHECK(allowed_for(exactly({read_if("LE", "5"), read_if("GE", "3")}, unite)).size() == 10);
    CHECK(allowed_for(exactly({read_if("LE", "5"), read_if("GE", "3")}, intersect)) == Values{3, 4, 5});
    CHECK(allowed_for(exactly({read_if("LE", "5"), read_if("EQ", "3")}, subtract)) == Values{0, 1, 2, 4, 5});
    CHECK(allowed_for(exactly({read_if("LE", "5"), read_if("GE", "3"), read_if("EQ", "0")}, subtract)) ==
          Values{1, 2});
    CHECK(allowed_for(exactly({read_if("LE", "1"), read_if("GE", "3")}, intersect)).empty());
}

TEST_CASE("what no rules say exactly is wider for a union, narrower otherwise, and warned of") {
    const auto read_if = [](const std::string& a, const std::string& b) {
        return allow("read", "\"args\": [" + a + "," + b + "]");
    };
    const Profile one = profile(read_if(condition(0, "NE", "2"), condition(1, "GT", "5")));
    const Profile other = profile(read_if(condition(0, "EQ", "2"), condition(1, "LT", "3")));
    const Profile two = profile(read_if(condition(2, "EQ", "1"), condition(3, "GT", "7")) + "," +
                                read_if(condition(2, "EQ", "2"), condition(4, "GT", "9")));
    const std::string why = ": no rules say its arguments exactly and are compiled rightly by libseccomp";
    const Merged wider = merged({one, other}, unite);
    CHECK(wider.warnings == Names{"read is allowed more widely than by the inputs" + why});
    CHECK(decide(wider.profile, "read", {2, 5}) == allowed);  // by neither of them
    const Merged narrower = merged({one, two}, intersect);
    CHECK(narrower.warnings == Names{"read is allowed more narrowly than by the inputs" + why});
    CHECK(decide(narrower.profile, "read", {1, 6, 1, 8}) == unknown_call);  // by both
    const Merged rest = merged({one, two}, subtract);
    CHECK(rest.warnings == Names{"read is allowed more narrowly than by the inputs" + why});
}

TEST_CASE("an intersection of profiles that allow by default is never wider, however complicated") {
    const auto open = [](const std::string& rules) {
        return parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                         "syscalls": [)" +
                     rules + "]}");
    };
    const auto deny = [](const std::string& action, const std::string& conditions) {
        return R"({"names": ["read"], "action": "SCMP_ACT_)" + action + R"(", "args": [)" + conditions + "]}";
    };
    const auto check = [](const Profile& a, const Profile& b, const std::string& why) {
        const Merged both = merged({a, b}, intersect);
        CHECK(both.warnings == Names{"read is allowed more narrowly than by the inputs: " + why});
        const Meaning of_a = *meaning_of(a, machine());
        const Meaning of_b = *meaning_of(b, machine());
        const Meaning of_both = *meaning_of(both.profile, machine());
        const auto lets = [](const Meaning& meaning, const Arguments& arguments) {
            return lets_through(meaning.decide(Abi::x86_64, "read", arguments).action);
        };
        RandomProfiles random(1);
        unsigned denied_by_one = 0;
        for (int i = 0; i < 20'000; ++i) {
            const Arguments arguments = random.arguments(false);
            const bool allowed_by_both = lets(of_a, arguments) && lets(of_b, arguments);
            denied_by_one += allowed_by_both ? 0 : 1;
            if (lets(of_both, arguments) && !allowed_by_both) FAIL("wider");
        }
        CHECK(denied_by_one > 100);
        // Other calls are as they were.
        CHECK(decide(both.profile, "write") == allowed);
    };
    const auto step = [&](int index, int value) {
        return deny("ERRNO", condition(index, "GE", std::to_string(value)) + "," +
                                 condition(index + 1, "LE", std::to_string(value)));
    };
    // Constants for which masks would be very many.
    check(open(step(0, 12'345) + "," + step(2, 54'321)), open(step(1, 23'456)),
          "no rules say its arguments exactly and are compiled rightly by libseccomp");
    // What the first ones leave of the second one's are thousands of boxes.
    std::string points;
    for (int value = 0; value < 60; ++value) {
        const std::string text = std::to_string(value / 3 * 2);
        points += std::string(value == 0 ? "" : ",") +
                  deny("ERRNO",
                       condition(value % 3 * 2, "EQ", text) + "," + condition(value % 3 * 2 + 1, "EQ", text));
    }
    check(open(points), open(deny("KILL", condition(0, "GE", "1"))),
          "its conditions on arguments are too many");
}

TEST_CASE("many conditions on different arguments are said or given up in no time") {
    const auto read_if = [](int index, int values) {
        std::string rules;
        for (int value = 0; value < values; ++value)
            rules += std::string(value == 0 ? "" : ",") +
                     allow("read", "\"args\": [" + condition(index, "EQ", std::to_string(value)) + "]");
        return profile(rules);
    };
    const auto begin = std::chrono::steady_clock::now();
    const Profile either = exactly({read_if(0, 250), read_if(1, 250)}, unite);
    CHECK(decide(either, "read", {7, 900}) == allowed);
    CHECK(decide(either, "read", {900, 7}) == allowed);
    CHECK(decide(either, "read", {900, 900}) == unknown_call);
    const Profile first = read_if(0, 1000);
    const Profile second = read_if(1, 1000);
    CHECK(
        merged({first, second}, intersect).warnings ==
        Names{"read is allowed more narrowly than by the inputs: its conditions on arguments are too many"});
    // The million pairs of them, each compared with each, take hours.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("where one input alone lets a call through, its rules are the union, however many") {
    std::string rules;
    for (int i = 0; i < 60; ++i)
        rules += (i == 0 ? "" : ",") +
                 allow("read", "\"args\": [" + condition(i % 2, "EQ", std::to_string(i)) + "]");
    const Profile many = profile(rules);
    const Profile other = parse(R"({"defaultAction": "SCMP_ACT_KILL", "architectures": ["SCMP_ARCH_X86_64"],
                                    "syscalls": [)" +
                                allow("write") + "]}");
    const auto rules_for_read = [](const Profile& of) {
        return std::count_if(of.rules.begin(), of.rules.end(),
                             [](const Rule& rule) { return rule.speaks_of("read"); });
    };
    // Nor do they matter where another one allows it without conditions.
    const Profile whole = exactly({many, profile(allow("read"))}, unite);
    CHECK(rules_for_read(whole) == 1);
    CHECK(decide(whole, "read", {99}) == allowed);
    for (const auto& inputs : {std::vector{many, other}, std::vector{other, many}}) {
        const Profile both = exactly(inputs, unite);
        CHECK(rules_for_read(both) == 60);
        CHECK(decide(both, "read", {4}) == allowed);
        CHECK(decide(both, "read", {5, 5}) == allowed);
        CHECK(decide(both, "read", {5, 4}) == default_decision(inputs.front()));
        CHECK(decide(both, "write") == allowed);
    }
}

TEST_CASE("the default, and how calls are denied, is the first input's way") {
    const auto head = [](const std::string& action, const std::string& rules) {
        return parse(R"({"defaultAction": "SCMP_ACT_)" + action + R"(", "architectures": ["SCMP_ARCH_X86_64"],
                         "syscalls": [)" +
                     rules + "]}");
    };
    const Profile by_errno = profile(allow("read"));
    const Profile by_kill = head("KILL_PROCESS", allow("write"));
    const Profile open =
        head("ALLOW", R"({"names": ["mount", "bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1})");
    const Profile open_but_bpf = head("ALLOW", R"({"names": ["bpf"], "action": "SCMP_ACT_KILL"})");
    const Decision killed{Action::kill_process, 0};
    CHECK(default_decision(exactly({by_errno, by_kill}, unite)) == unknown_call);
    CHECK(default_decision(exactly({by_kill, by_errno}, unite)) == killed);
    CHECK(decide(exactly({by_kill, by_errno}, intersect), "read") == killed);

    const Profile both_open = exactly({open, open_but_bpf}, unite);
    CHECK(default_decision(both_open) == allowed);
    CHECK(decide(both_open, "mount") == allowed);
    CHECK(decide(both_open, "bpf") == Decision{Action::errno_, EPERM});
    CHECK(default_decision(exactly({by_errno, open}, unite)) == allowed);
    CHECK(decide(exactly({by_errno, open}, unite), "mount") == unknown_call);

    const Profile narrowed = exactly({open, by_errno}, intersect);
    CHECK(default_decision(narrowed) == unknown_call);
    CHECK(decide(narrowed, "read") == allowed);
    CHECK(decide(narrowed, "mount") == Decision{Action::errno_, EPERM});

    const Profile rest = exactly({open, by_errno}, subtract);
    CHECK(default_decision(rest) == allowed);
    CHECK(decide(rest, "read") == unknown_call);
    CHECK(decide(rest, "mount") == Decision{Action::errno_, EPERM});
    const Profile only_mount = exactly({open_but_bpf, open}, subtract);
    CHECK(default_decision(only_mount) == unknown_call);
    CHECK(decide(only_mount, "mount") == allowed);
    CHECK(decide(only_mount, "bpf") == Decision{Action::kill_thread, 0});
}

TEST_CASE("calls that one input only logs") {
    const Profile logged = profile(R"({"names": ["read"], "action": "SCMP_ACT_LOG"})");
    const Profile plain = profile(allow("read"));
    const Decision logs{Action::log, 0};
    CHECK(decide(exactly({logged, plain}, unite), "read") == allowed);
    CHECK(decide(exactly({plain, logged}, intersect), "read") == logs);
    CHECK(decide(exactly({logged, profile("")}, unite), "read") == logs);
    CHECK(decide(exactly({logged, plain}, subtract), "read") == unknown_call);
}

TEST_CASE("archMap and architectures become one") {
    const std::string head = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [)" + allow("read") + "]";
    const Profile map = parse(head + R"(, "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
        {"architecture": "SCMP_ARCH_S390X", "subArchitectures": []}]})");
    const Profile list =
        parse(head + R"(, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"]})");
    const Profile native = parse(head + "}");
    const auto families = [](const std::vector<Profile>& inputs, MergeKind kind) {
        // A difference warns of what it takes away on all of them; that is the next test's.
        const Profile result = kind == subtract ? merged(inputs, kind).profile : exactly(inputs, kind);
        CHECK((result.architectures.empty() || result.arch_map.empty()));
        std::string text;
        for (const std::string& token : result.architectures) text += token.substr(10) + " ";
        for (const ArchitectureFamily& family : result.arch_map) {
            text += family.architecture.substr(10) + "(";
            for (const std::string& token : family.sub_architectures) text += token.substr(10) + " ";
            text += ")";
        }
        return text;
    };
    CHECK(families({map, list}, unite) == "X86_64(X86 X32 )AARCH64()S390X()");
    CHECK(families({list, map}, intersect) == "X86_64(X86 )");
    CHECK(families({map, list}, subtract) == "X86_64(X86 X32 )S390X()");
    CHECK(families({list, map}, subtract) == "X86_64(X86 )AARCH64()");
    CHECK(families({list, list}, unite) == "X86_64 X86 AARCH64 ");
    CHECK(families({native, native}, unite).empty());
    CHECK(families({native, list}, unite) == "X86_64 X86 AARCH64 ");
    CHECK(families({native, list}, intersect) == "X86_64 ");
}

TEST_CASE("names that count on an architecture that not all inputs have are warned of") {
    const auto on = [](const std::string& more, const std::string& rules) {
        return parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64")" + more +
                     R"(], "syscalls": [)" + rules + "]}");
    };
    const std::string i386 = R"(, "SCMP_ARCH_X86")";
    const Profile wide = on(i386, allow("read"));
    const Profile narrow = on("", allow("write"));
    CHECK(merged({wide, narrow}, unite).warnings ==
          Names{"allowed on i386 as well, since a profile's names count on all of its architectures: write"});
    CHECK(merged({on(i386, allow("read") + "," + allow("write")), narrow}, subtract).warnings ==
          Names{"not left on i386 either, since a profile's names count on all of its architectures: write"});
    CHECK(merged({wide, narrow}, intersect).warnings.empty());
    // Both let it through.
    CHECK(merged({on(i386, allow("write")), narrow}, unite).warnings.empty());
    std::string rules;
    for (const std::string name :
         {"read", "dup", "dup2", "close", "open", "stat", "fstat", "lstat", "poll", "brk"})
        rules += (rules.empty() ? "" : ",") + allow(name);
    CHECK(
        merged({wide, on("", rules)}, unite).warnings ==
        Names{
            "allowed on i386 as well, since a profile's names count on all of its architectures: brk, close, "
            "dup, dup2, fstat, lstat, open, poll and 1 more"});
}

TEST_CASE("what is allowed for some arguments, or by default, is warned of on other architectures, too") {
    const auto on = [](const std::string& architectures, const std::string& action,
                       const std::string& rules) {
        return parse(R"({"defaultAction": "SCMP_ACT_)" + action + R"(", "architectures": [)" + architectures +
                     R"(], "syscalls": [)" + rules + "]}");
    };
    const std::string one = R"("SCMP_ARCH_X86_64")";
    const std::string both = one + R"(, "SCMP_ARCH_X86")";
    const std::string if_1 = allow("read", if_first("EQ", "1"));
    const std::string widely =
        "allowed on i386 as well, since a profile's names count on all of its architectures: ";
    const std::string narrowly =
        "not left on i386 either, since a profile's names count on all of its architectures: ";
    const auto warnings = [](const Profile& a, const Profile& b, MergeKind kind) {
        return merged({a, b}, kind).warnings;
    };

    const Profile some_on_both = on(both, "ERRNO", if_1);
    const Profile all_on_one = on(one, "ERRNO", allow("read"));
    CHECK(warnings(some_on_both, all_on_one, unite) == Names{widely + "read"});
    CHECK(warnings(all_on_one, some_on_both, unite) == Names{widely + "read"});
    CHECK(decide(merged({some_on_both, all_on_one}, unite).profile, "read", {2}) == allowed);
    CHECK(warnings(some_on_both, all_on_one, subtract) == Names{narrowly + "read"});
    // Where it counts it is allowed anyway.
    CHECK(warnings(on(both, "ERRNO", allow("read")), on(one, "ERRNO", if_1), unite).empty());

    const std::string never = R"({"names": ["mount"], "action": "SCMP_ACT_ERRNO"})";
    const Profile open_on_one = on(one, "ALLOW", never);
    CHECK(warnings(on(both, "ERRNO", allow("read")), open_on_one, unite) ==
          Names{widely + "calls that no rule names"});
    CHECK(warnings(on(both, "ERRNO", if_1), open_on_one, unite) ==
          Names{widely + "calls that no rule names, read"});
    CHECK(warnings(on(both, "ALLOW", ""), open_on_one, unite).empty());
    CHECK(warnings(on(both, "ALLOW", ""), open_on_one, subtract) ==
          Names{narrowly + "calls that no rule names"});
    CHECK(warnings(on(both, "ERRNO", allow("read")), open_on_one, subtract) == Names{narrowly + "read"});
}

TEST_CASE("what a merge leaves out it says") {
    Profile one = profile(allow("read"));
    Profile other = profile(allow("write", R"("our-note": 1)"));
    one.flags = {"SECCOMP_FILTER_FLAG_LOG"};
    one.listener_path = "/run/a";
    one.unknown = {{"x", "[1]"}};
    const Merged result = merged({one, other}, unite);
    CHECK(result.warnings == Names{"flags and listener are those of a; b has others",
                                   "members of rules that callcensus does not know are left out: b"});
    CHECK(result.profile.flags == one.flags);
    CHECK(result.profile.listener_path == "/run/a");
    CHECK(result.profile.unknown == one.unknown);
    const Profile in_context = profile(allow("read", R"("includes": {"our-note": 1})"));
    CHECK(merged({in_context, in_context}, unite).warnings ==
          Names{"members of rules that callcensus does not know are left out: a",
                "members of rules that callcensus does not know are left out: b"});
}

TEST_CASE("comments say who needed what") {
    const auto needing = [](const std::string& why) {
        return profile(allow("read", R"("comment": ")" + why + '"'));
    };
    const auto comment = [](const std::vector<Profile>& inputs, MergeKind kind = unite) {
        const Profile result = exactly(inputs, kind);
        REQUIRE(result.rules.size() == 1);
        return result.rules.front().comment;
    };
    CHECK(comment({needing("web"), needing("worker"), needing("web"), profile(allow("read"))}) ==
          "web; worker");
    std::vector<Profile> many;
    for (int i = 0; i < 8; ++i) many.push_back(needing("run " + std::to_string(i)));
    CHECK(comment(many) == "run 0; run 1; run 2; run 3; run 4; and 3 more");
    CHECK(comment({needing("web"), needing("worker")}, intersect) == "web; worker");
    // Reasons for a denial are none for letting through.
    CHECK(comment({needing("web"),
                   profile(R"({"names": ["read"], "action": "SCMP_ACT_ERRNO", "comment": "never"})")}) ==
          "web");
    // Calls for different reasons stay apart, for the same together.
    const auto both = [](const std::string& read, const std::string& write) {
        return profile(allow("read", R"("comment": ")" + read + '"') + "," +
                       allow("write", R"("comment": ")" + write + '"'));
    };
    CHECK(exactly({both("a", "b"), both("a", "c")}, unite).rules.size() == 2);
    // Rules that nothing is done to keep each its own.
    const std::string two_rules =
        allow("read", R"("args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}], "comment": "one")") + "," +
        allow("read", R"("args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}], "comment": "two")");
    const Profile unchanged = exactly({profile(two_rules), profile(two_rules)}, unite);
    REQUIRE(unchanged.rules.size() == 2);
    CHECK(unchanged.rules[0].comment == "one");
    CHECK(unchanged.rules[1].comment == "two");
    const Profile same = exactly({both("a", "a"), both("b", "b")}, unite);
    REQUIRE(same.rules.size() == 1);
    CHECK(same.rules.front().names == Names{"read", "write"});
}

namespace {

// Each in a file of its own.
std::vector<Recording> merge_files(const std::vector<Recording>& recordings, MergeKind kind) {
    std::vector<std::vector<Recording>> files;
    for (const Recording& one : recordings) files.push_back({one});
    return merge(std::move(files), kind);
}

}  // namespace

TEST_CASE("recordings are united without a loss") {
    std::vector<Recording> inputs{recording("web", {"read", "bpf"}), recording("worker", {"write"})};
    inputs.back().assumed = {{Abi::x86_64, 0}, {Abi::i386, 3}};
    const auto again = parse_recordings(write_recordings(merge_files(inputs, unite)), "r.json");
    REQUIRE(again);
    REQUIRE(again->size() == inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Recording& was = inputs[i];
        const Recording& is = (*again)[i];
        CHECK(is.generator == was.generator);
        CHECK(is.engine == was.engine);
        CHECK(is.host.kernel == was.host.kernel);
        CHECK(is.host.machine == was.host.machine);
        CHECK(is.command == was.command);
        CHECK(is.started == was.started);
        CHECK(is.duration == was.duration);
        CHECK(is.status == was.status);
        CHECK(is.gaps == was.gaps);
        CHECK(is.notes == was.notes);
        CHECK(is.executables == was.executables);
        CHECK(is.assumed == was.assumed);
        REQUIRE(is.processes.size() == was.processes.size());
        for (std::size_t at = 0; at < was.processes.size(); ++at) {
            CHECK(is.processes[at].pid == was.processes[at].pid);
            CHECK(is.processes[at].parent == was.processes[at].parent);
            CHECK(is.processes[at].started == was.processes[at].started);
            CHECK(is.processes[at].executables == was.processes[at].executables);
            CHECK(is.processes[at].threads == was.processes[at].threads);
            CHECK(is.processes[at].status == was.processes[at].status);
            CHECK(is.processes[at].scope == was.processes[at].scope);
        }
        REQUIRE(is.calls.size() == was.calls.size());
        for (std::size_t at = 0; at < was.calls.size(); ++at) {
            CHECK(is.calls[at].call == was.calls[at].call);
            CHECK(is.calls[at].count == was.calls[at].count);
            CHECK(is.calls[at].first.at == was.calls[at].first.at);
            CHECK(is.calls[at].first.process == was.calls[at].first.process);
            CHECK(is.calls[at].first.executable == was.calls[at].first.executable);
            CHECK(is.calls[at].returned == was.calls[at].returned);
            CHECK(is.calls[at].by_executable == was.calls[at].by_executable);
        }
    }
}

TEST_CASE("of recordings, what all have, or only the first") {
    const std::vector<Recording> inputs{recording("a", {"read", "write", "bpf", "dup"}),
                                        recording("b", {"read", "write", "mount"}),
                                        recording("c", {"dup", "read"})};
    const auto common = merge_files(inputs, intersect);
    REQUIRE(common.size() == 1);
    CHECK(names(common[0]) == Names{"read"});
    CHECK(common[0].notes.back() == "3 of its calls are left out, which not all of the 2 other inputs have");
    CHECK(common[0].calls[0].by_executable == inputs[0].calls[0].by_executable);
    CHECK(common[0].command == inputs[0].command);
    // What one file holds counts together.
    const auto of_two = merge({{inputs[0]}, {inputs[1], inputs[2]}}, intersect);
    REQUIRE(of_two.size() == 1);
    CHECK(names(of_two[0]) == Names{"dup", "read", "write"});
    const auto rest = merge_files(inputs, subtract);
    REQUIRE(rest.size() == 1);
    CHECK(names(rest[0]) == Names{"bpf"});
    CHECK(rest[0].notes.back() == "3 of its calls are left out, which some of the 2 other inputs have too");
    for (const MergeKind kind : {unite, intersect, subtract}) {
        const auto alone = merge_files(std::vector{inputs[0]}, kind);
        REQUIRE(alone.size() == 1);
        CHECK(names(alone[0]) == names(inputs[0]));
        CHECK(alone[0].notes == inputs[0].notes);
    }
}

TEST_CASE("what a recording took as known is had by it, since profiles derived from it allow it") {
    const Syscall read{Abi::x86_64, syscall_number(Abi::x86_64, "read").value()};
    const Syscall write{Abi::x86_64, syscall_number(Abi::x86_64, "write").value()};
    Recording one = recording("a", {"bpf"});
    one.assumed = {read, write};
    const Recording other = recording("b", {"read", "dup"});
    CHECK(merge_files({one, other}, subtract)[0].assumed == std::vector{write});
    CHECK(merge_files({one, other}, intersect)[0].assumed == std::vector{read});
    CHECK(names(merge_files({other, one}, intersect)[0]) == Names{"read"});
    CHECK(names(merge_files({other, one}, subtract)[0]) == Names{"dup"});
}

TEST_CASE("a thousand profiles are no problem") {
    std::vector<std::string> all;
    for (std::uint32_t number = 0; number < 300; ++number) all.push_back(syscall_name({Abi::x86_64, number}));
    std::vector<NamedProfile> inputs;
    for (std::size_t i = 0; i < 1000; ++i) {
        Rule rule;
        for (std::size_t call = 0; call < 60; ++call)
            rule.names.push_back(all[(i * 7 + call * 3) % all.size()]);
        rule.comment = "observed while tracing " + std::to_string(i);
        Profile one = profile(allow("exit"));
        one.rules.push_back(std::move(rule));
        inputs.push_back({std::to_string(i), std::move(one)});
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto result = merge(inputs, unite, machine());
    // It takes some hundredths of a second; what compares each with each takes minutes.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    REQUIRE(result);
    CHECK(result->warnings.empty());
    for (const std::string& name : all) CHECK(decide(result->profile, name) == allowed);
    CHECK(decide(result->profile, "io_uring_setup") == unknown_call);
}

}  // namespace merge_test
