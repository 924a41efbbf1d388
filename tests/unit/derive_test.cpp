#include "callcensus/derive.hpp"

#include <algorithm>
#include <cerrno>

#include "callcensus/format.hpp"
#include "catch.hpp"
#include "meaning/runtime_calls.hpp"

namespace derive_test {

using namespace callcensus;

namespace {

Recording recording_of(std::vector<Syscall> calls) {
    Recording recording;
    recording.command = {"/usr/bin/tool", "--password=secret"};
    recording.executables = {"/usr/bin/tool"};
    for (const Syscall call : calls) {
        CallRecord record;
        record.call = call;
        record.count = 1;
        record.returned = {{0, 1}};
        recording.calls.push_back(record);
    }
    return recording;
}

Derivation derived(const std::vector<Recording>& recordings, const DeriveOptions& options = {}) {
    return derive(recordings, options);
}

std::vector<std::string> all_names(const Profile& profile) {
    std::vector<std::string> names;
    for (const Rule& rule : profile.rules) names.insert(names.end(), rule.names.begin(), rule.names.end());
    return names;
}

const Syscall read_call{Abi::x86_64, 0}, write_call{Abi::x86_64, 1}, exit_group_call{Abi::x86_64, 231};

Profile baseline(const std::string& text) { return parse_profile(text, "baseline").value(); }

}  // namespace

TEST_CASE("observed-only is exactly what was observed") {
    const Derivation result =
        derived({recording_of({write_call, read_call})}, DeriveOptions::observed_only());
    REQUIRE(result.profile.rules.size() == 1);
    CHECK(result.profile.rules[0].names == std::vector<std::string>{"read", "write"});
    CHECK(result.profile.rules[0].action == Action::allow);
    CHECK(result.profile.default_action == Action::errno_);
    CHECK(result.profile.default_errno_ret == static_cast<std::uint32_t>(ENOSYS));
    CHECK(result.profile.architectures == std::vector<std::string>{"SCMP_ARCH_X86_64"});
}

TEST_CASE("each reason to allow more has its own rule and switch, and no name stands twice") {
    const std::vector<Recording> recordings{recording_of({read_call, exit_group_call})};
    const Derivation full = derived(recordings);
    REQUIRE(full.profile.rules.size() == 4);
    CHECK(full.profile.rules[0].names == std::vector<std::string>{"exit_group", "read"});
    for (const Rule& rule : full.profile.rules) CHECK_FALSE(rule.comment.empty());
    auto names = all_names(full.profile);
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());

    DeriveOptions options;
    options.runtime = RuntimeSet::none;
    CHECK(derived(recordings, options).profile.rules.size() == 3);
    options.unseen = false;
    CHECK(derived(recordings, options).profile.rules.size() == 2);
    options.vdso = false;
    CHECK(derived(recordings, options).profile.rules.size() == 1);
}

TEST_CASE("no argument of the command gets into the profile") {
    CHECK(write_profile(derived({recording_of({read_call})}).profile).find("secret") == std::string::npos);
}

TEST_CASE("only calls that the recorded ABIs have are derived") {
    const auto names_for = [](Abi abi) {
        DeriveOptions options;
        options.runtime = RuntimeSet::none;
        return all_names(derived({recording_of({{abi, *syscall_number(abi, "read")}})}, options).profile);
    };
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    CHECK_FALSE(has(names_for(Abi::x86_64), "sigreturn"));
    CHECK(has(names_for(Abi::i386), "sigreturn"));
    CHECK(has(names_for(Abi::i386), "clock_gettime64"));
    CHECK_FALSE(has(names_for(Abi::x86_64), "clock_gettime64"));
    CHECK_FALSE(has(names_for(Abi::aarch64), "time"));
    CHECK(has(names_for(Abi::riscv64), "riscv_hwprobe"));
    CHECK_FALSE(has(names_for(Abi::x86_64), "riscv_hwprobe"));
}

TEST_CASE("several recordings and ABIs are united") {
    const Derivation result =
        derived({recording_of({read_call}), recording_of({{Abi::i386, 102}, {Abi::x32, 0x40000001}})},
                DeriveOptions::observed_only());
    CHECK(result.profile.rules[0].names == std::vector<std::string>{"read", "socketcall", "write"});
    CHECK(result.profile.architectures ==
          std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"});
}

TEST_CASE("a number without a name is reported and never in the profile") {
    Recording recording = recording_of({read_call, {Abi::x86_64, 5000}, {Abi::x86_64, 0xffffffff}});
    recording.calls[1].returned = {{ENOSYS, 1}};
    const Derivation result = derived({recording}, DeriveOptions::observed_only());
    CHECK(result.profile.rules[0].names == std::vector<std::string>{"read"});
    REQUIRE(result.unnamed.size() == 2);
    CHECK(result.unnamed[0].call.number == 5000);
    CHECK_FALSE(result.unnamed[0].exists);
    CHECK(result.unnamed[1].exists);
}

TEST_CASE("runtime sets have the measured sizes") {
    // With the calls whose denial a runtime survives, and without; crun's with `select`, which is inferred.
    CHECK(runtime_calls(RuntimeSet::runc, {.exec = false, .denial_kills = true}).size() == 35);
    CHECK(runtime_calls(RuntimeSet::runc, {.denial_kills = true}).size() == 41);
    CHECK(runtime_calls(RuntimeSet::crun, {.exec = false, .denial_kills = true}).size() == 13);
    CHECK(runtime_calls(RuntimeSet::crun, {.denial_kills = true}).size() == 20);
    CHECK(runtime_calls(RuntimeSet::runc, {.exec = false}).size() == 33);
    CHECK(runtime_calls(RuntimeSet::crun, {.exec = false}).size() == 11);
    CHECK(runtime_calls(RuntimeSet::none, {.denial_kills = true}).empty());
    for (const std::string& name : runtime_calls(RuntimeSet::any, {.denial_kills = true})) {
        CAPTURE(name);
        CHECK(syscall_number(Abi::x86_64, name).has_value());
    }
}

TEST_CASE("with no_new_privileges runtimes need less") {
    const auto narrowed = [](RuntimeSet runtime, bool exec, bool denial_kills) {
        return runtime_calls(runtime,
                             {.exec = exec, .no_new_privileges = true, .denial_kills = denial_kills});
    };
    CHECK(narrowed(RuntimeSet::runc, false, true).size() == 21);
    CHECK(narrowed(RuntimeSet::crun, false, true) ==
          std::vector<std::string>{"close", "close_range", "execve"});
    CHECK(narrowed(RuntimeSet::crun, false, false) == std::vector<std::string>{"execve"});
    CHECK(narrowed(RuntimeSet::crun, true, false) == std::vector<std::string>{"execve", "write"});
    for (const RuntimeSet runtime : {RuntimeSet::any, RuntimeSet::runc, RuntimeSet::crun})
        for (const bool exec : {false, true})
            for (const bool denial_kills : {false, true}) {
                const auto all = runtime_calls(runtime, {.exec = exec, .denial_kills = denial_kills});
                const auto narrow = narrowed(runtime, exec, denial_kills);
                CHECK(narrow.size() < all.size());
                CHECK(std::includes(all.begin(), all.end(), narrow.begin(), narrow.end()));
            }

    DeriveOptions options;
    options.no_new_privileges = true;
    const Derivation result = derived({recording_of({read_call})}, options);
    const auto names = all_names(result.profile);
    CHECK(std::find(names.begin(), names.end(), "capset") == names.end());
    CHECK(std::find(names.begin(), names.end(), "execve") != names.end());
    CHECK(result.profile.rules[1].comment.find("only with no_new_privileges") != std::string::npos);
}

TEST_CASE("where a denial kills, runtimes need more") {
    DeriveOptions options;
    options.default_action = Action::kill_process;
    const auto names = all_names(derived({recording_of({read_call})}, options).profile);
    CHECK(std::find(names.begin(), names.end(), "fcntl") != names.end());
    CHECK_FALSE(derived({recording_of({read_call})}, options).profile.default_errno_ret.has_value());
    const auto milder = all_names(derived({recording_of({read_call})}).profile);
    CHECK(std::find(milder.begin(), milder.end(), "fcntl") == milder.end());
}

TEST_CASE("a baseline stays as it is and is only added to") {
    DeriveOptions options = DeriveOptions::observed_only();
    options.baseline =
        baseline(R"({"defaultAction": "SCMP_ACT_KILL", "architectures": ["SCMP_ARCH_X86"], "extra": 1,
        "syscalls": [{"names": ["write"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
                     {"name": "close", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_CHOWN"]}}]})");
    const Derivation result = derived({recording_of({read_call, write_call, {Abi::x86_64, 3}})}, options);
    const Profile& profile = result.profile;
    REQUIRE(profile.rules.size() == 3);
    CHECK(profile.rules[0] == options.baseline->rules[0]);
    CHECK(profile.rules[1] == options.baseline->rules[1]);
    CHECK(profile.rules[2].names == std::vector<std::string>{"read"});
    CHECK(profile.default_action == Action::kill);
    CHECK_FALSE(profile.default_errno_ret.has_value());
    CHECK(profile.architectures == std::vector<std::string>{"SCMP_ARCH_X86", "SCMP_ARCH_X86_64"});
    CHECK(profile.unknown == options.baseline->unknown);
    CHECK(result.warnings.empty());
}

TEST_CASE("what a baseline blocks stays blocked for derived rules too") {
    DeriveOptions options;
    options.baseline = baseline(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["exit"], "action": "SCMP_ACT_KILL"}]})");
    const Profile profile = derived({recording_of({read_call})}, options).profile;
    for (std::size_t i = 1; i < profile.rules.size(); ++i) CHECK_FALSE(profile.rules[i].speaks_of("exit"));
    CHECK_FALSE(profile.default_errno_ret.has_value());  // the baseline's EPERM by default stays
}

TEST_CASE("no empty rule is added when the baseline names everything") {
    DeriveOptions options = DeriveOptions::observed_only();
    options.baseline = baseline(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]})");
    CHECK(derived({recording_of({read_call})}, options).profile.rules.size() == 1);
}

TEST_CASE("a baseline that allows by default becomes one that denies, with a warning") {
    for (const std::string action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG"}) {
        DeriveOptions options;
        options.baseline = baseline("{\"defaultAction\": \"" + action + "\"}");
        const Derivation result = derived({recording_of({read_call})}, options);
        CHECK(result.profile.default_action == Action::errno_);
        CHECK(result.profile.default_errno_ret == static_cast<std::uint32_t>(ENOSYS));
        REQUIRE(result.warnings.size() == 1);
        CHECK(result.warnings[0].find(action) != std::string::npos);
    }
}

TEST_CASE("an archMap is extended and never joined by architectures") {
    DeriveOptions options = DeriveOptions::observed_only();
    options.baseline = baseline(R"({"defaultAction": "SCMP_ACT_ERRNO", "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]})");
    const Profile profile =
        derived({recording_of({read_call, {Abi::i386, 3}, {Abi::x32, 0x40000000}})}, options).profile;
    CHECK(profile.architectures.empty());
    REQUIRE(profile.arch_map.size() == 2);
    CHECK(profile.arch_map[0].sub_architectures ==
          std::vector<std::string>{"SCMP_ARCH_X86", "SCMP_ARCH_X32"});
    CHECK(profile.arch_map[1] == options.baseline->arch_map[1]);

    SECTION("also where the machine's own family is missing") {
        options.baseline->arch_map.erase(options.baseline->arch_map.begin());
        const Profile other = derived({recording_of({read_call})}, options).profile;
        REQUIRE(other.arch_map.size() == 2);
        CHECK(other.arch_map[1].architecture == "SCMP_ARCH_X86_64");
    }
    SECTION("where a row for 32-bit machines says nothing of programs on 64-bit ones") {
        options.baseline->arch_map = {{"SCMP_ARCH_X86_64", {}}, {"SCMP_ARCH_X86", {}}};
        const Profile other = derived({recording_of({{Abi::i386, 3}})}, options).profile;
        CHECK(other.arch_map == std::vector<ArchitectureFamily>{{"SCMP_ARCH_X86_64", {"SCMP_ARCH_X86"}},
                                                                {"SCMP_ARCH_X86", {}}});
    }
}

TEST_CASE("options override a baseline's defaults") {
    DeriveOptions options;
    options.baseline =
        baseline(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "defaultErrno": "EPERM"})");
    options.default_errno = EACCES;
    const Profile profile = derived({recording_of({read_call})}, options).profile;
    CHECK(profile.default_errno_ret == static_cast<std::uint32_t>(EACCES));
    CHECK(profile.default_errno_name.empty());
}

namespace {

// ls made read and write, sh made read and exit_group.
Recording of_two_executables(Scope scope) {
    Recording recording = recording_of({read_call, write_call, exit_group_call});
    recording.executables = {"/usr/bin/ls", "/bin/s[h]"};
    recording.processes.resize(1);
    recording.processes[0].scope = scope;
    recording.calls[0].by_executable = {{0, 1}, {1, 1}};
    recording.calls[1].by_executable = {{0, 1}};
    recording.calls[2].by_executable = {{1, 1}};
    return recording;
}

std::vector<std::string> observed_with(std::vector<std::string> only, std::vector<std::string> exclude) {
    DeriveOptions options = DeriveOptions::observed_only();
    options.only = std::move(only);
    options.exclude = std::move(exclude);
    return all_names(derived({of_two_executables(Scope::executable)}, options).profile);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("executables are selected by name or path") {
    CHECK(observed_with({"ls"}, {}) == Names{"read", "write"});
    CHECK(observed_with({"/usr/*"}, {}) == Names{"read", "write"});
    CHECK(observed_with({"usr"}, {}).empty());
    CHECK(observed_with({}, {"ls"}) == Names{"exit_group", "read"});
    CHECK(observed_with({"l*", "s*"}, {}) == Names{"exit_group", "read", "write"});
    CHECK(observed_with({"*"}, {"s*"}) == Names{"read", "write"});
}

TEST_CASE("a selection that selects nothing is told") {
    DeriveOptions options;
    options.only = {"nginx"};
    const Derivation result = derived({of_two_executables(Scope::executable)}, options);
    REQUIRE(result.warnings.size() == 1);
    CHECK(result.warnings[0].find("no executable") != std::string::npos);
}

TEST_CASE("each executable's glob matches it alone") {
    const std::vector<Recording> recordings{of_two_executables(Scope::executable)};
    const auto globs = executables_of(recordings);
    REQUIRE(globs.size() == 2);
    for (const auto& [executable, glob] : globs) {
        DeriveOptions options;
        options.only = {glob};
        for (const auto& [other, unused] : globs) CHECK(selects(options, other) == (other == executable));
    }
}

TEST_CASE("a recording that does not tell whose its calls are cannot be selected from") {
    DeriveOptions selecting;
    selecting.only = {"ls"};
    for (const Scope scope : {Scope::process, Scope::executable, Scope::tree}) {
        const std::vector<Recording> recordings{of_two_executables(scope)};
        CHECK(check_derivable(recordings, {}).has_value());
        CHECK(check_derivable(recordings, selecting).has_value() == (scope != Scope::tree));
        CHECK(check_derivable(recordings, {}, true).has_value() == (scope != Scope::tree));
    }
}

TEST_CASE("what was known beforehand has a rule and a switch of its own") {
    Recording recording = recording_of({read_call});
    recording.assumed = {write_call};
    DeriveOptions options = DeriveOptions::observed_only();
    CHECK(all_names(derived({recording}, options).profile) == Names{"read"});
    options.assumed = true;
    const Profile profile = derived({recording}, options).profile;
    REQUIRE(profile.rules.size() == 2);
    CHECK(profile.rules[1].names == Names{"write"});
    CHECK(profile.rules[1].comment.find("known from") == 0);
    // Observed in another run, it is observed.
    CHECK(derived({recording, recording_of({write_call})}, options).profile.rules.size() == 1);
}

TEST_CASE("families add a rule for each reason, after what was observed and known, on request only") {
    const auto number = [](const char* name) {
        return Syscall{Abi::x86_64, *syscall_number(Abi::x86_64, name)};
    };
    Recording recording =
        recording_of({number("access"), number("getpid"), number("mkdir"), number("rename")});
    recording.assumed = {number("unlink")};
    DeriveOptions options;
    CHECK_FALSE(options.families);
    CHECK_FALSE(DeriveOptions::observed_only().families);
    const Profile without = derived({recording}, options).profile;
    options.families = true;
    const Profile with = derived({recording}, options).profile;
    REQUIRE(with.rules.size() == without.rules.size() + 3);
    CHECK(with.rules[0] == without.rules[0]);
    CHECK(with.rules[1] == without.rules[1]);  // known beforehand
    CHECK(with.rules[2].names == Names{"faccessat", "faccessat2"});
    CHECK(with.rules[2].comment.find("same job as access: ") == 0);
    CHECK(with.rules[3].names == Names{"mkdirat", "renameat", "renameat2"});
    CHECK(with.rules[3].comment.find("same job as mkdir, rename: ") == 0);
    CHECK(with.rules[4].names == Names{"unlinkat"});
    CHECK(with.rules[5].comment == without.rules[2].comment);  // the runtimes'
    auto names = all_names(with);
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());

    SECTION("not of what was known and is left out") {
        options.assumed = false;
        CHECK(derived({recording}, options).profile.rules.size() == with.rules.size() - 2);
    }
    SECTION("what a baseline blocks stays blocked") {
        options.baseline = baseline(
            R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["faccessat2"], "action": "SCMP_ACT_KILL"}]})");
        const Profile profile = derived({recording}, options).profile;
        CHECK(profile.rules[3].names == Names{"faccessat"});
    }
    SECTION("only calls that the recorded ABIs have") {
        Recording on_i386 = recording_of({{Abi::i386, *syscall_number(Abi::i386, "futex")}});
        CHECK(derived({on_i386}, options).profile.rules[1].names == Names{"futex_time64"});
        Recording on_x86_64 = recording_of({number("futex")});
        for (const Rule& rule : derived({on_x86_64}, options).profile.rules)
            CHECK_FALSE(rule.speaks_of("futex_time64"));
    }
}

TEST_CASE("a call without a name exists unless every result that was seen denied it") {
    Recording recording = recording_of({{Abi::x86_64, 6000}});
    recording.calls[0].count = 10;
    recording.calls[0].returned = {
        {ENOSYS, 1}};  // of a process that was released, one result is all there is
    CHECK_FALSE(derived({recording}).unnamed.at(0).exists);
    recording.calls[0].returned = {};
    CHECK(derived({recording}).unnamed.at(0).exists);
}

}  // namespace derive_test
