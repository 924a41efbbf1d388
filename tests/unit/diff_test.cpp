#include "callcensus/diff.hpp"

#include <cerrno>

#include "callcensus/format.hpp"
#include "catch.hpp"
#include "profiles.hpp"

namespace diff_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

// Allows the names, by further members.
std::string allow(const std::string& names, const std::string& members = {}) {
    return R"({"names": [)" + names + R"(], "action": "SCMP_ACT_ALLOW")" +
           (members.empty() ? "" : ", " + members) + "}";
}

std::string if_first(const std::string& op, const std::string& value, const std::string& two = "0") {
    return R"("args": [{"index": 0, "op": "SCMP_CMP_)" + op + R"(", "value": )" + value +
           R"(, "valueTwo": )" + two + "}]";
}

Difference compare(const Comparable& before, const Comparable& after, bool as_conditions = false) {
    auto difference = diff(before, after, {machine(), as_conditions});
    if (!difference) FAIL(difference.error().text());
    return *difference;
}

// The one change that there is.
CallChange change(const Comparable& before, const Comparable& after) {
    const Difference difference = compare(before, after);
    REQUIRE(difference.calls.size() == 1);
    CHECK_FALSE(difference.otherwise);
    return difference.calls.front();
}

std::vector<std::string> names(const Difference& difference) {
    std::vector<std::string> names;
    for (const CallChange& it : difference.calls) names.push_back(it.call);
    return names;
}

using Counts = std::map<std::string, std::uint64_t>;

Recording recording(const std::string& executable, const Counts& counts, Scope scope = Scope::process) {
    Recording recording;
    recording.executables = {executable};
    recording.processes = {{1, std::nullopt, {}, {0}, 1, ExitStatus{}, scope}};
    for (const auto& [name, count] : counts) {
        CallRecord record;
        record.call = {Abi::x86_64, syscall_number(Abi::x86_64, name).value()};
        record.count = count;
        record.by_executable = {{0, count}};
        recording.calls.push_back(record);
    }
    return recording;
}

using Recordings = std::vector<Recording>;

}  // namespace

TEST_CASE("a call that is let through, or no more, or in another way") {
    const Profile none = profile(allow(R"("write")"));
    const Profile plain = profile(allow(R"("read", "write")"));
    const Profile one = profile(allow(R"("read")", if_first("EQ", "1")) + "," + allow(R"("write")"));
    const Profile two = profile(allow(R"("read")", if_first("EQ", "2")) + "," + allow(R"("write")"));
    const Profile logged = profile(R"({"names": ["read"], "action": "SCMP_ACT_LOG"},)" + allow(R"("write")"));
    const Profile refused =
        profile(R"({"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},)" + allow(R"("write")"));
    struct Row {
        const Profile& before;
        const Profile& after;
        ChangeKind kind;
        bool gain;
        bool loss;
        const char* was;
        const char* is;
    };
    const auto* const if_one = "allowed if arg0 == 1, else denied with ENOSYS";
    const auto* const if_two = "allowed if arg0 == 2, else denied with ENOSYS";
    for (const Row& row : {
             Row{none, plain, ChangeKind::allowed, true, false, "denied with ENOSYS", "allowed"},
             Row{none, one, ChangeKind::allowed, true, false, "denied with ENOSYS", if_one},
             Row{none, logged, ChangeKind::allowed, true, false, "denied with ENOSYS", "allowed and logged"},
             Row{plain, none, ChangeKind::denied, false, true, "allowed", "denied with ENOSYS"},
             Row{one, refused, ChangeKind::denied, false, true, if_one, "denied with EIO"},
             Row{one, plain, ChangeKind::loosened, true, false, if_one, "allowed"},
             Row{plain, one, ChangeKind::tightened, false, true, "allowed", if_one},
             Row{one, two, ChangeKind::altered, true, true, if_one, if_two},
             Row{plain, logged, ChangeKind::redecided, false, false, "allowed", "allowed and logged"},
             Row{none, refused, ChangeKind::redecided, false, false, "denied with ENOSYS", "denied with EIO"},
         }) {
        const CallChange it = change(row.before, row.after);
        CAPTURE(row.was, row.is);
        CHECK(it.call == "read");
        CHECK(it.kind == row.kind);
        CHECK(it.before == row.was);
        CHECK(it.after == row.is);
        CHECK(it.abis == std::vector{Abi::x86_64});
        CHECK(gains(it) == row.gain);
        CHECK(losses(it) == row.loss);
        const Difference whole = compare(row.before, row.after);
        CHECK(gains(whole) == row.gain);
        CHECK(losses(whole) == row.loss);
        CHECK_FALSE(risky_gains(whole));
    }
    for (const Profile* same : {&none, &plain, &one, &two, &logged, &refused})
        CHECK(compare(*same, *same).empty());
}

TEST_CASE("how it is written makes no difference") {
    const Profile before = profile(allow(R"("read", "write", "clone")"));
    const Profile after = profile(R"({"name": "clone", "action": "SCMP_ACT_ALLOW", "comment": "new"},)" +
                                  allow(R"("write")") + "," + allow(R"("write", "read", "no_such_call")") +
                                  "," + allow(R"("read")", if_first("EQ", "1")));
    CHECK(compare(before, after).empty());
    // 0 to 4 by a mask and by a comparison.
    CHECK(compare(profile(allow(R"("read")", if_first("LT", "4"))),
                  profile(allow(R"("read")", if_first("MASKED_EQ", "18446744073709551612"))))
              .empty());
}

TEST_CASE("a new default is said once") {
    const std::string rules = R"("architectures": ["SCMP_ARCH_X86_64"], "syscalls": [)" + allow(R"("read")") +
                              "," + allow(R"("write")", if_first("EQ", "1")) +
                              R"(, {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]})";
    const Profile old_default =
        parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, )" + rules);
    const Profile new_default = parse(R"({"defaultAction": "SCMP_ACT_KILL_PROCESS", )" + rules);
    const Profile open = parse(R"({"defaultAction": "SCMP_ACT_ALLOW", )" + rules);

    const Difference stricter = compare(old_default, new_default);
    CHECK(stricter.calls.empty());
    REQUIRE(stricter.otherwise);
    CHECK(stricter.otherwise->first == Decision{Action::errno_, ENOSYS});
    CHECK(stricter.otherwise->second == Decision{Action::kill_process, 0});
    CHECK_FALSE(stricter.empty());
    CHECK_FALSE(gains(stricter));
    CHECK_FALSE(losses(stricter));

    // write with other arguments follows the default; nothing else has changed for it.
    const Difference wider = compare(old_default, open);
    CHECK(wider.calls.empty());
    CHECK(gains(wider));
    CHECK(risky_gains(wider));
    CHECK_FALSE(losses(wider));
    CHECK(losses(compare(open, old_default)));
    CHECK_FALSE(gains(compare(open, old_default)));

    // What does not follow it is said beside it.
    const Difference both = compare(profile(allow(R"("read")")), new_default);
    CHECK(both.otherwise);
    CHECK(names(both) == std::vector<std::string>{"write", "mount"});
    // mount is denied with EIO as before, by its rule and no more by default.
    CHECK(compare(parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5, )" + rules), old_default)
              .calls.empty());
}

TEST_CASE("architectures come and go as a whole") {
    const std::string head =
        R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [)" + allow(R"("read")") + "]";
    const Profile one = parse(head + R"(, "architectures": ["SCMP_ARCH_X86_64"]})");
    const Profile two = parse(head + R"(, "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"]})");
    const Profile native = parse(head + "}");
    const Profile map = parse(head + R"(, "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]})");
    const Difference added = compare(one, two);
    CHECK(added.calls.empty());
    CHECK(added.abis_added == std::vector{Abi::i386});
    CHECK(added.abis_removed.empty());
    CHECK(gains(added));
    CHECK_FALSE(losses(added));
    CHECK_FALSE(risky_gains(added));
    // What is risky there counts as such.
    Profile with_bpf = one;
    with_bpf.rules.front().names.emplace_back("bpf");
    Profile with_bpf_and_i386 = two;
    with_bpf_and_i386.rules.front().names = {"bpf", "read", "vm86"};
    CHECK(compare(with_bpf, with_bpf_and_i386).risky_on_added == std::vector<std::string>{"bpf", "vm86"});
    CHECK(risky_gains(compare(with_bpf, with_bpf_and_i386)));
    const Difference removed = compare(two, one);
    CHECK(removed.abis_removed == std::vector{Abi::i386});
    CHECK(losses(removed));
    CHECK_FALSE(gains(removed));
    CHECK(compare(one, native).empty());
    CHECK(compare(two, map).empty());
    CHECK(compare(native, map, true).abis_added == std::vector{Abi::i386, Abi::aarch64, Abi::arm});
    // A call that has changed on both is one change.
    Profile more = two;
    more.rules.front().names.emplace_back("write");
    CHECK(change(two, more).abis == std::vector{Abi::x86_64, Abi::i386});
    // And one that only one of them has.
    more.rules.front().names.back() = "_llseek";
    CHECK(change(two, more).abis == std::vector{Abi::i386});
}

TEST_CASE("flags are compared as sets") {
    Profile before = profile(allow(R"("read")"));
    Profile after = before;
    before.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"};
    after.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"};
    CHECK(compare(before, after).empty());
    after.flags.pop_back();
    const Difference difference = compare(before, after);
    REQUIRE(difference.flags);
    CHECK(difference.flags->first == "SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_TSYNC");
    CHECK(difference.flags->second == "SECCOMP_FILTER_FLAG_TSYNC");
    CHECK_FALSE(difference.empty());
    CHECK_FALSE(gains(difference));
    CHECK_FALSE(losses(difference));
}

TEST_CASE("errno names and numbers are the same; other errnos are not") {
    const auto denying = [](const std::string& members) {
        return profile(R"({"names": ["read"], "action": "SCMP_ACT_ERRNO")" + members + "}");
    };
    CHECK(compare(denying(R"(, "errno": "EACCES", "errnoRet": 1)"), denying(R"(, "errnoRet": 13)")).empty());
    CHECK(compare(denying(""), denying(R"(, "errnoRet": 1)")).empty());
    const CallChange it = change(denying(R"(, "errnoRet": 13)"), denying(""));
    CHECK(it.kind == ChangeKind::redecided);
    CHECK(it.before == "denied with EACCES");
    CHECK(it.after == "denied with EPERM");
}

TEST_CASE("conditions in words") {
    const Profile none = profile("");
    const auto words = [&](const std::string& members) {
        return change(none, profile(allow(R"("read")", members))).after;
    };
    const std::string rest = ", else denied with ENOSYS";
    CHECK(words(if_first("NE", "7")) == "allowed if arg0 != 7" + rest);
    CHECK(words(if_first("LT", "7")) == "allowed if arg0 <= 6" + rest);
    CHECK(words(if_first("LE", "1023")) == "allowed if arg0 <= 1023" + rest);
    CHECK(words(if_first("GE", "8")) == "allowed if arg0 >= 8" + rest);
    CHECK(words(if_first("GT", "4294967295")) == "allowed if arg0 >= 0x100000000" + rest);
    CHECK(words(if_first("EQ", "4294967295")) == "allowed if arg0 == 0xffffffff" + rest);
    CHECK(words(if_first("MASKED_EQ", "2114060288")) == "allowed if arg0 & 0x7e020000 == 0" + rest);
    CHECK(words(R"("args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1},
                            {"index": 3, "op": "SCMP_CMP_EQ", "value": 2}])") ==
          "allowed if arg0 == 1 and arg3 == 2" + rest);
    // As runc has it: conditions on one argument are alternatives.
    CHECK(words(R"("args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1},
                            {"index": 0, "op": "SCMP_CMP_EQ", "value": 5}])") ==
          "allowed if arg0 == 1 or arg0 == 5" + rest);
    const CallChange three =
        change(none, profile(allow(R"("read")", if_first("EQ", "1")) +
                             R"(, {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, )" +
                             if_first("EQ", "2") + "}"));
    CHECK(three.after == "allowed if arg0 == 1; denied with EIO if arg0 == 2" + rest);
}

TEST_CASE("where a profile is used decides about includes and excludes") {
    const Profile before = profile("");
    const Profile after = profile(allow(R"("mount")", R"("includes": {"caps": ["CAP_SYS_ADMIN"]})") + "," +
                                  allow(R"("read")", R"("excludes": {"arches": ["arm64"]})") + "," +
                                  allow(R"("ptrace")", R"("includes": {"minKernel": "6.2"})"));
    CHECK(names(compare(before, after)) == std::vector<std::string>{"read"});
    Machine other = machine();
    other.caps.insert("CAP_SYS_ADMIN");
    other.kernel = {6, 2};
    CHECK(names(*diff(before, after, {other, false})) == std::vector<std::string>{"mount", "ptrace", "read"});
    other.arch = "arm64";
    const auto on_arm = diff(before, after, {other, false});
    REQUIRE(on_arm);
    CHECK(names(*on_arm) == std::vector<std::string>{"mount", "ptrace"});
    other.arch = "vax";
    const auto unknown = diff(before, after, {other, false});
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().text() == "\"vax\" is no architecture that callcensus knows");
}

TEST_CASE("compared as conditions, every situation counts") {
    const auto with = [](const std::string& call, const std::string& members) {
        return profile(allow('"' + call + '"', members));
    };
    const auto contexts = [](const Profile& before, const Profile& after) {
        std::vector<std::string> lines;
        for (const CallChange& it : compare(before, after, true).calls)
            lines.push_back(std::string(id(it.kind)) + ": " + it.context);
        return lines;
    };
    using Lines = std::vector<std::string>;
    const Profile none = profile("");
    const Profile always_on = with("mount", "");
    const Profile admin = with("mount", R"("includes": {"caps": ["CAP_SYS_ADMIN"]})");
    const Profile not_admin = with("mount", R"("excludes": {"caps": ["CAP_SYS_ADMIN"]})");
    const Profile arm = with("mount", R"("includes": {"arches": ["arm64"]})");
    const Profile not_arm = with("mount", R"("excludes": {"arches": ["arm64"]})");
    const Profile arm_or_s390 = with("mount", R"("includes": {"arches": ["arm64", "s390x"]})");
    const Profile late = with("mount", R"("includes": {"minKernel": "4.8"})");
    const Profile early = with("mount", R"("excludes": {"minKernel": "4.8"})");
    CHECK(contexts(none, always_on) == Lines{"allowed: "});
    CHECK(contexts(none, admin) == Lines{"allowed: with CAP_SYS_ADMIN"});
    CHECK(contexts(admin, always_on) == Lines{"allowed: without CAP_SYS_ADMIN"});
    CHECK(contexts(admin, not_admin) ==
          Lines{"allowed: without CAP_SYS_ADMIN", "denied: with CAP_SYS_ADMIN"});
    CHECK(contexts(none, arm) == Lines{"allowed: on arm64"});
    CHECK(contexts(none, arm_or_s390) == Lines{"allowed: on arm64 or s390x"});
    CHECK(contexts(none, not_arm) == Lines{"allowed: not on arm64"});
    CHECK(contexts(always_on, arm_or_s390) == Lines{"denied: not on arm64 or s390x"});
    CHECK(contexts(none, late) == Lines{"allowed: from kernel 4.8"});
    CHECK(contexts(none, early) == Lines{"allowed: before kernel 4.8"});
    CHECK(contexts(none, with("mount", R"("includes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["amd64"],
                                                       "minKernel": "5.0"})")) ==
          Lines{"allowed: with CAP_SYS_ADMIN, on amd64, from kernel 5.0"});
    // Two rules that are one.
    CHECK(contexts(always_on, profile(allow(R"("mount")", R"("includes": {"caps": ["CAP_BPF"]})") + "," +
                                      allow(R"("mount")", R"("excludes": {"caps": ["CAP_BPF"]})")))
              .empty());
    // Here and now nothing has changed.
    CHECK(compare(none, admin).empty());
}

TEST_CASE("too many conditions to compare are an error and no guess") {
    std::string rules;
    for (int cap = 0; cap < 12; ++cap)
        rules += (cap == 0 ? "" : ",") +
                 allow(R"("mount")", R"("includes": {"caps": ["CAP_)" + std::to_string(cap) + R"("]})");
    const auto difference = diff(profile(""), profile(rules), {machine(), true});
    REQUIRE_FALSE(difference);
    CHECK(difference.error().text() ==
          "the old one and the new one: have too many conditions on capabilities, architectures and kernels "
          "for mount; compare them for one machine instead");
}

TEST_CASE("rules that contradict each other for too many arguments are an error that says where") {
    // What they leave of the last one are thousands of boxes.
    std::string rules;
    for (int value = 0; value < 60; ++value) {
        const auto condition = [&](int index) {
            return R"({"index": )" + std::to_string(value % 3 * 2 + index) +
                   R"(, "op": "SCMP_CMP_EQ", "value": )" + std::to_string(2 * value) + "}";
        };
        rules += allow(R"("read")", R"("args": [)" + condition(0) + "," + condition(1) + "]") + ",";
    }
    rules += R"({"names": ["read"], "action": "SCMP_ACT_KILL",
                 "args": [{"index": 0, "op": "SCMP_CMP_GE", "value": 1}]})";
    const Profile contradictory = profile(rules);
    const Profile other = profile(allow(R"("write")"));
    const std::string what =
        ": has rules for read that are too complicated: they contradict each other for too many arguments";
    for (const bool as_conditions : {false, true}) {
        const DiffOptions options{machine(), as_conditions, "old.json", "new.json"};
        const auto of_old = diff(contradictory, other, options);
        REQUIRE_FALSE(of_old);
        CHECK(of_old.error().text() == "old.json" + what);
        const auto of_new = diff(other, contradictory, options);
        REQUIRE_FALSE(of_new);
        CHECK(of_new.error().text() == "new.json" + what);
        const auto against_recordings =
            diff(Recordings{recording("a", {{"read", 1}})}, contradictory, options);
        REQUIRE_FALSE(against_recordings);
        CHECK(against_recordings.error().text() == "new.json" + what);
    }
}

TEST_CASE("recordings: what is called, by whom and how often") {
    const Recordings before{recording("/bin/old", {{"read", 3}, {"ptrace", 2}})};
    const Recordings after{recording("/bin/new", {{"read", 9}, {"bpf", 4}, {"close", 1}}),
                           recording("/bin/other", {{"bpf", 40}}),
                           recording("/bin/new", {{"bpf", 6}, {"accept", 1}}, Scope::executable)};
    const Difference difference = compare(before, after);
    CHECK(difference.of_recordings);
    CHECK_FALSE(difference.otherwise);
    // Gains first, the riskiest of them before the others, which come by name.
    CHECK(names(difference) == std::vector<std::string>{"bpf", "accept", "close", "ptrace"});
    const auto uses = [&](std::size_t at) { return difference.calls.at(at).uses; };
    CHECK(uses(0) == std::vector<Use>{{"/bin/other", 40, true}, {"/bin/new", 10, false}});
    CHECK(uses(1) == std::vector<Use>{{"/bin/new", 1, false}});
    CHECK(uses(2) == std::vector<Use>{{"/bin/new", 1, true}});
    CHECK(uses(3) == std::vector<Use>{{"/bin/old", 2, true}});
    CHECK(difference.calls.front().risk == risk_of("bpf"));
    CHECK(risky_gains(difference));
    CHECK(difference.calls.back().kind == ChangeKind::denied);

    CHECK(compare(after, after).empty());
    const Difference back = compare(after, before);
    CHECK(risky_gains(back));  // ptrace
    CHECK(losses(back));
    const Difference harmless = compare(before, Recordings{recording("/bin/new", {{"close", 1}})});
    CHECK(gains(harmless));
    CHECK_FALSE(risky_gains(harmless));  // ptrace has gone
}

TEST_CASE("a number without a name is compared as well") {
    Recording odd = recording("/bin/odd", {{"read", 1}});
    CallRecord record;
    record.call = {Abi::x86_64, 4000};
    record.count = 1;
    record.by_executable = {{0, 1}};
    odd.calls.push_back(record);
    const CallChange it = change(Recordings{recording("/bin/even", {{"read", 1}})}, Recordings{odd});
    CHECK(it.call == "number 4000");
    CHECK(it.kind == ChangeKind::allowed);
    CHECK(it.uses == std::vector<Use>{{"/bin/odd", 1, true}});
}

TEST_CASE("a recording against a profile: what is called and not allowed, or the reverse") {
    const Profile allowed =
        profile(allow(R"("read", "write")") + "," + allow(R"("clone")", if_first("EQ", "0")));
    const Recordings called{recording("/bin/it", {{"read", 1}, {"bpf", 2}, {"clone", 3}})};
    const Difference difference = compare(allowed, called);
    CHECK_FALSE(difference.of_recordings);
    CHECK_FALSE(difference.otherwise);
    REQUIRE(names(difference) == std::vector<std::string>{"bpf", "clone", "write"});
    CHECK(difference.calls[0].kind == ChangeKind::allowed);
    CHECK(difference.calls[0].uses == std::vector<Use>{{"/bin/it", 2, true}});
    CHECK(difference.calls[1].kind == ChangeKind::loosened);
    CHECK(difference.calls[2].kind == ChangeKind::denied);
    CHECK(difference.calls[2].uses.empty());  // who would have made it the profile does not say

    CHECK(difference.calls[0].before == "denied with ENOSYS");
    CHECK(difference.calls[0].after == "called");
    CHECK(difference.calls[2].before == "allowed");
    CHECK(difference.calls[2].after == "not called");

    const Difference back = compare(called, allowed);
    CHECK(back.calls[0].before == "not called");
    CHECK(back.calls[1].before == "called");
    CHECK(names(back) == std::vector<std::string>{"write", "bpf", "clone"});
    CHECK(back.calls[1].kind == ChangeKind::denied);
    CHECK(back.calls[1].uses == std::vector<Use>{{"/bin/it", 2, true}});
}

TEST_CASE("a recording against a profile that allows what it does not name") {
    const Profile open = parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mount", "bpf"], "action": "SCMP_ACT_ERRNO"}]})");
    const Recordings called{recording("/bin/it", {{"read", 1}, {"bpf", 2}})};
    // Nobody calls mount, and nobody may.
    const Difference difference = compare(open, called);
    CHECK(names(difference) == std::vector<std::string>{"bpf"});
    CHECK(difference.calls.front().kind == ChangeKind::allowed);
    REQUIRE(difference.otherwise);
    CHECK(losses(difference));
    const Difference back = compare(called, open);
    CHECK(names(back) == std::vector<std::string>{"bpf"});
    CHECK(back.calls.front().kind == ChangeKind::denied);
    CHECK(gains(back));
    // Nor does it matter how a call is denied that nobody makes.
    const Profile denying = profile(allow(R"("read", "bpf")") +
                                    R"(, {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5})");
    CHECK(compare(called, denying).empty());
    CHECK(compare(denying, called).empty());
}

TEST_CASE("the order: gains before losses, by kind, the riskiest first, then by name") {
    const Profile before =
        profile(allow(R"("read")", if_first("EQ", "1")) + "," + allow(R"("dup", "bpf", "close", "swapon")"));
    const Profile after = profile(allow(R"("read", "write", "accept", "ptrace", "swapoff", "acct")") + "," +
                                  R"({"names": ["dup"], "action": "SCMP_ACT_LOG"})");
    CHECK(names(compare(before, after)) == std::vector<std::string>{"ptrace", "swapoff", "acct", "accept",
                                                                    "write", "read", "bpf", "swapon", "close",
                                                                    "dup"});
}

}  // namespace diff_test
