// What compile() makes of a profile against what runc 1.1.5 and crun 1.8.1 make of it: their calls of
// libseccomp are made here once more, by code that has nothing of ours.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/diff.hpp"
#include "callcensus/format.hpp"
#include "callcensus/lint.hpp"
#include "callcensus/merge.hpp"
#include "callcensus/profile_text.hpp"
#include "catch.hpp"
#include "meaning/loading.hpp"
#include "random_profiles.hpp"

namespace loading_test {

using namespace callcensus;
using testing::RandomProfiles;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int rounds = 300;
#else
constexpr int rounds = 1000;
#endif

const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};

std::uint32_t action_of(Action action, std::uint32_t number) {
    switch (action) {
        case Action::allow:
            return SCMP_ACT_ALLOW;
        case Action::errno_:
            return SCMP_ACT_ERRNO(number);
        case Action::kill:
        case Action::kill_thread:
            return SCMP_ACT_KILL;
        case Action::kill_process:
            return SCMP_ACT_KILL_PROCESS;
        case Action::trap:
            return SCMP_ACT_TRAP;
        case Action::trace:
            return SCMP_ACT_TRACE(number);
        case Action::log:
            return SCMP_ACT_LOG;
        case Action::notify:
            return SCMP_ACT_NOTIFY;
    }
    return 0;
}

// runc's matchCall() and the loop in crun's libcrun_generate_seccomp() come to the same calls.
std::optional<Filter> loaded_by_a_runtime(const Profile& profile) {
    static const std::map<Comparison, scmp_compare> operators{{Comparison::ne, SCMP_CMP_NE},
                                                              {Comparison::lt, SCMP_CMP_LT},
                                                              {Comparison::le, SCMP_CMP_LE},
                                                              {Comparison::eq, SCMP_CMP_EQ},
                                                              {Comparison::ge, SCMP_CMP_GE},
                                                              {Comparison::gt, SCMP_CMP_GT},
                                                              {Comparison::masked_eq, SCMP_CMP_MASKED_EQ}};
    const std::uint32_t otherwise = action_of(profile.default_action, profile.default_errno_ret.value_or(1));
    const std::unique_ptr<void, decltype(&seccomp_release)> context(seccomp_init(otherwise),
                                                                    &seccomp_release);
    for (std::string token : profile.architectures) {
        token.erase(0, std::string("SCMP_ARCH_").size());
        std::transform(token.begin(), token.end(), token.begin(), [](char c) { return std::tolower(c); });
        seccomp_arch_add(context.get(), seccomp_arch_resolve_name(token.c_str()));
    }
    for (const Rule& rule : profile.rules) {
        const std::uint32_t action = action_of(rule.action, rule.errno_ret.value_or(1));
        if (action == otherwise) continue;
        std::vector<scmp_arg_cmp> all;
        std::array<int, 6> count{};
        for (const ArgumentCondition& it : rule.args) {
            ++count.at(it.index);
            all.push_back({it.index, operators.at(it.op), it.value, it.value_two});
        }
        const bool repeats = std::any_of(count.begin(), count.end(), [](int some) { return some > 1; });
        for (const std::string& name : rule.names) {
            const int number = seccomp_syscall_resolve_name(name.c_str());
            if (number == __NR_SCMP_ERROR) continue;
            if (!repeats && seccomp_rule_add_array(context.get(), action, number,
                                                   static_cast<unsigned>(all.size()), all.data()) < 0)
                return std::nullopt;
            for (std::size_t i = 0; repeats && i < all.size(); ++i)
                if (seccomp_rule_add_array(context.get(), action, number, 1, &all[i]) < 0)
                    return std::nullopt;
        }
    }
    const int file = ::memfd_create("filter", MFD_CLOEXEC);
    REQUIRE(seccomp_export_bpf(context.get(), file) == 0);
    Filter code(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
    const auto size = static_cast<ssize_t>(code.size() * sizeof(sock_filter));
    CHECK(::pread(file, code.data(), code.size() * sizeof(sock_filter), 0) == size);
    ::close(file);
    return code;
}

bool lint_says_that_it_is_refused(const Profile& profile) {
    const auto written = write_as(*find_format("oci"), profile, {});
    REQUIRE(written);
    const auto text = read_leniently(written->content, "p.json");
    REQUIRE(text);
    LintOptions options;
    options.native = Abi::x86_64;
    const auto findings = lint(*text, options);
    return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.severity == Severity::error && (finding.code == "CC307" || finding.code == "CC302");
    });
}

const std::vector<std::vector<std::string>> all_architectures{
    {},
    {"SCMP_ARCH_X86_64"},
    {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"},
    {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"},
    {"SCMP_ARCH_X32"},
    {"SCMP_ARCH_X86"}};

RandomProfiles::Wishes with_multiplexers() {
    RandomProfiles::Wishes wishes;
    wishes.every_action = true;
    wishes.calls = {"socket", "bind",   "connect", "accept", "send",       "semop", "shmget",
                    "msgget", "msgsnd", "read",    "mmap2",  "socketcall", "ipc",   "no_such_call"};
    return wishes;
}

seccomp_data data_of(Abi abi, std::uint32_t number, const Arguments& arguments) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = info(abi).audit_arch;
    std::copy(arguments.begin(), arguments.end(), data.args);
    return data;
}

bool are_the_same(const Profile& a, const Profile& b) {
    for (const bool as_conditions : {false, true}) {
        DiffOptions options;
        options.machine = machine;
        options.as_conditions = as_conditions;
        const auto difference = diff(a, b, options);
        if (!difference || !difference->calls.empty() || !difference->abis_added.empty() ||
            !difference->abis_removed.empty() || difference->otherwise)
            return false;
    }
    return true;
}

}  // namespace

TEST_CASE("what runtimes accept compiles to what they load, and lint says what they refuse") {
    constexpr unsigned seed = 31;
    RandomProfiles random(seed);
    RandomProfiles::Wishes wishes = with_multiplexers();
    int accepted = 0, refused = 0, asked = 0;
    for (int round = 0; round < rounds; ++round) {
        wishes.repeated_indexes = round % 3 == 0;
        wishes.large_constants = round % 4 == 0;
        wishes.architectures = all_architectures[random.below(6)];
        const Profile profile = random.profile(wishes);
        // libseccomp may never return.
        if (!calls_compiled_wrong(profile, machine, Abi::x86_64).empty()) continue;
        CAPTURE(seed, round);
        const auto theirs = loaded_by_a_runtime(profile);
        const auto ours = compile(profile, machine);
        REQUIRE(theirs.has_value() == ours.has_value());
        CHECK(theirs.has_value() != lint_says_that_it_is_refused(profile));
        ++(theirs ? accepted : refused);
        if (!theirs) continue;
        const auto meaning = meaning_of(profile, machine);
        REQUIRE(meaning);
        for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
            for (const std::string& name : wishes.calls)
                for (int sample = 0; sample < 6; ++sample) {
                    const auto number = syscall_number(abi, name);
                    if (!number) continue;
                    const Arguments arguments = random.arguments(true);
                    const seccomp_data data = data_of(abi, *number, arguments);
                    const auto answer = evaluate(*theirs, data);
                    ++asked;
                    const Decision decision = meaning->decide(abi, name, arguments);
                    if (evaluate(ours->code, data) == answer &&
                        answer == action_of(decision.action, decision.value))
                        continue;
                    CAPTURE(info(abi).id, name, arguments[0], arguments[1], arguments[2]);
                    REQUIRE(evaluate(ours->code, data) == answer);
                    REQUIRE(answer == action_of(decision.action, decision.value));
                }
    }
    CHECK(accepted > rounds / 3);
    CHECK(refused > rounds / 100);
    CHECK(asked > rounds * 20);
}

TEST_CASE("a profile united with itself, intersected with itself or less nothing is the same") {
    RandomProfiles random(32);
    RandomProfiles::Wishes wishes = with_multiplexers();
    Profile nothing;
    int compared = 0;
    for (int round = 0; round < rounds / 4; ++round) {
        wishes.contexts = round % 3 == 0;
        wishes.architectures = all_architectures[random.below(6)];
        const Profile profile = random.profile(wishes);
        if (!compile(profile, machine) || !calls_compiled_wrong(profile, machine, Abi::x86_64).empty())
            continue;
        nothing.architectures = profile.architectures;
        CAPTURE(round);
        const NamedProfile one{"a", profile};
        for (const auto kind : {MergeKind::unite, MergeKind::intersect, MergeKind::subtract}) {
            const std::vector<NamedProfile> inputs{
                one, kind == MergeKind::subtract ? NamedProfile{"b", nothing} : one};
            const auto merged = merge(inputs, kind, machine);
            REQUIRE(merged);
            // What rules cannot say is said.
            if (!merged->warnings.empty()) continue;
            CAPTURE(int(kind));
            ++compared;
            CHECK(are_the_same(profile, merged->profile));
        }
    }
    CHECK(compared > rounds / 8);
}

TEST_CASE("a list of architectures and a map of them are no difference") {
    Profile list;
    list.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_X86"};
    Profile map;
    map.arch_map = {{"SCMP_ARCH_X86_64", {"SCMP_ARCH_X86"}}, {"SCMP_ARCH_AARCH64", {}}};
    CHECK(are_the_same(list, map));
    map.arch_map.pop_back();
    CHECK_FALSE(are_the_same(list, map));
}

}  // namespace loading_test
