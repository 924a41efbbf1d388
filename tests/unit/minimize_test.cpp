#include "callcensus/minimize.hpp"

#include <algorithm>
#include <random>

#include "callcensus/abi.hpp"
#include "profiles.hpp"

namespace minimize_test {

using namespace callcensus;
using namespace callcensus::testing;

namespace {

using Names = std::set<std::string>;

Names let_through(const Profile& profile) {
    Names names;
    for (const Rule& rule : profile.rules) {
        if (!lets_through(rule.action)) continue;
        if (!rule.name.empty()) names.insert(rule.name);
        names.insert(rule.names.begin(), rule.names.end());
    }
    return names;
}

// What a program does: one thing after the other.
struct Step {
    enum class Kind {
        ends,        // without any of the calls the program ends at once and has failed
        optional,    // it does without
        fails_late,  // it goes on, to fail at its end
    };
    Kind kind = Kind::ends;
    std::vector<std::string> calls;  // the next one only if those before it are denied
};
struct Program {
    std::vector<Step> steps;
    std::vector<std::string> when_failing;  // tries to say so

    [[nodiscard]] Trial run(const Names& allowed) const {
        Trial trial;
        trial.succeeded = true;
        const auto call = [&](const std::string& name) {
            // In order of the last time.
            trial.made.insert(name);
            if (allowed.count(name) != 0) return true;
            trial.denied.erase(std::remove(trial.denied.begin(), trial.denied.end(), name),
                               trial.denied.end());
            trial.denied.push_back(name);
            return false;
        };
        for (const Step& step : steps) {
            if (std::any_of(step.calls.begin(), step.calls.end(), call) || step.kind == Step::Kind::optional)
                continue;
            trial.succeeded = false;
            if (step.kind == Step::Kind::ends) break;
        }
        if (!trial.succeeded) std::for_each(when_failing.begin(), when_failing.end(), call);
        return trial;
    }
};
Step needs(std::vector<std::string> calls) { return {Step::Kind::ends, std::move(calls)}; }
Step tries(std::vector<std::string> calls) { return {Step::Kind::optional, std::move(calls)}; }

MinimizeOptions every_call() {
    MinimizeOptions options;
    options.runtime = RuntimeSet::none;
    return options;
}

Minimized minimized(const Profile& profile, const Program& program,
                    const MinimizeOptions& options = every_call()) {
    const auto result = minimize(profile, machine(), options, [&](const Profile& candidate, const Names&) {
        return Result<Trial>(program.run(let_through(candidate)));
    });
    if (!result) FAIL(result.error().text());
    return *result;
}

Names with(const Minimized& result, Fate fate) {
    Names names;
    for (const CallFate& call : result.calls)
        if (call.fate == fate) names.insert(call.name);
    return names;
}

Profile allowing(const std::vector<std::string>& names) {
    Profile profile;
    profile.default_errno_ret = 38;
    profile.architectures = {"SCMP_ARCH_X86_64"};
    Rule rule;
    rule.names = names;
    profile.rules.push_back(rule);
    return profile;
}

class RandomPrograms {
  public:
    explicit RandomPrograms(unsigned seed) : random_(seed) {
        static const Names testable = with(
            minimized(allowing({all_syscall_names().begin(), all_syscall_names().end()}), {}), Fate::unused);
        names_.assign(testable.begin(), testable.end());
        std::shuffle(names_.begin(), names_.end(), random_);
        names_.resize(300);
    }

    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

    // Of 100 steps so many end the program, and so many make it fail later; the rest is optional.
    Program program(unsigned steps, unsigned ends, unsigned late, bool fallbacks, unsigned when_failing) {
        Program program;
        std::size_t next = 0;
        for (unsigned i = 0; i < steps; ++i) {
            const unsigned lot = below(100);
            Step step{lot < ends          ? Step::Kind::ends
                      : lot < ends + late ? Step::Kind::fails_late
                                          : Step::Kind::optional,
                      {names_.at(next++)}};
            if (fallbacks && below(4) == 0) step.calls.push_back(names_.at(next++));
            // Programs make a call more than once.
            if (i != 0 && below(3) == 0) step.calls.front() = names_.at(below(static_cast<unsigned>(next)));
            program.steps.push_back(step);
        }
        for (unsigned i = 0; i < when_failing; ++i)
            program.when_failing.push_back(names_.at(below(static_cast<unsigned>(next) + 4)));
        return program;
    }

  private:
    std::mt19937 random_;
    std::vector<std::string> names_;
};

}  // namespace

TEST_CASE("calls that no run makes go, and those that the program cannot do without stay") {
    const Program program{{needs({"execve"}), tries({"ioctl"}), needs({"read"}), needs({"write"})}, {}};
    const Minimized result =
        minimized(allowing({"execve", "fork", "ioctl", "kill", "mount", "read", "write"}), program);
    CHECK(with(result, Fate::unused) == Names{"fork", "kill", "mount"});
    CHECK(with(result, Fate::dispensable) == Names{"ioctl"});
    CHECK(with(result, Fate::needed) == Names{"execve", "read", "write"});
    CHECK(let_through(result.profile) == Names{"execve", "read", "write"});
    CHECK(result.end == Minimized::End::complete);
    // All, what is made, without execve, without ioctl and read, without ioctl, without write, once more.
    CHECK(result.runs == 7);
}

TEST_CASE("a needed call is told with the run that failed without it") {
    std::vector<Names> tried;
    const Program program{{needs({"execve"}), tries({"ioctl"}), needs({"read"})}, {"write"}};
    const auto result = minimize(allowing({"execve", "ioctl", "read", "write"}), machine(), every_call(),
                                 [&](const Profile& candidate, const Names& without) {
                                     tried.push_back(without);
                                     return Result<Trial>(program.run(let_through(candidate)));
                                 });
    REQUIRE(result);
    for (const CallFate& call : result->calls) {
        if (call.fate != Fate::needed) continue;
        INFO(call.name);
        REQUIRE(call.run >= 1);
        CHECK(tried.at(call.run - 1).count(call.name) != 0);
    }
    CHECK(with(*result, Fate::needed) == Names{"execve", "read"});
}

TEST_CASE("of two calls for the same job the one stays that the program makes of itself") {
    const Program program{{needs({"clone3", "clone"}), needs({"faccessat2", "faccessat", "access"})}, {}};
    const Minimized result =
        minimized(allowing({"access", "clone", "clone3", "faccessat", "faccessat2"}), program);
    CHECK(let_through(result.profile) == Names{"clone3", "faccessat2"});
}

TEST_CASE("a call is taken from all rules that let it through, and from no others") {
    const Profile policy = profile(R"(
        {"names": ["read", "kill"], "action": "SCMP_ACT_ALLOW", "comment": "kept"},
        {"names": ["kill"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 9, "op": "SCMP_CMP_EQ"}]},
        {"names": ["kill"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_KILL"]}},
        {"name": "kill", "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 3, "op": "SCMP_CMP_EQ"}]},
        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1})");
    const Minimized result = minimized(policy, {{needs({"read"})}, {}});
    REQUIRE(result.profile.rules.size() == 2);
    CHECK(result.profile.rules[0].names == std::vector<std::string>{"read"});
    CHECK(result.profile.rules[0].comment == "kept");
    CHECK(result.profile.rules[1] == policy.rules.back());
}

TEST_CASE("what no run can test is kept, with the reason") {
    Profile policy = profile(R"(
        {"names": ["read", "kill", "prctl", "fstat", "rt_sigreturn", "gettimeofday", "s390_runtime_instr",
                   "no_such_call"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}})");
    MinimizeOptions options = every_call();
    options.keep = {"kill"};
    SECTION("whoever starts the program") {}
    SECTION("runc starts it, too") {
        options.runtime = RuntimeSet::runc;
        const Minimized result = minimized(policy, {{needs({"read"})}, {}}, options);
        CHECK(with(result, Fate::runtime) == Names{"fstat", "prctl", "read", "rt_sigreturn"});
        options.no_new_privileges = true;
        CHECK(with(minimized(policy, {{needs({"read"})}, {}}, options), Fate::runtime) ==
              Names{"fstat", "rt_sigreturn"});
        return;
    }
    const Minimized result = minimized(policy, {{needs({"read"})}, {}}, options);
    CHECK(with(result, Fate::by_request) == Names{"kill"});
    CHECK(with(result, Fate::other_machine) == Names{"bpf"});
    CHECK(with(result, Fate::no_such_call) == Names{"no_such_call", "s390_runtime_instr"});
    CHECK(with(result, Fate::unseen) == Names{"rt_sigreturn"});
    CHECK(with(result, Fate::answered_ahead) == Names{"gettimeofday"});
    CHECK(with(result, Fate::unused) == Names{"fstat", "prctl"});
    CHECK(let_through(result.profile) ==
          Names{"read", "kill", "bpf", "no_such_call", "s390_runtime_instr", "rt_sigreturn", "gettimeofday"});
}

TEST_CASE("a search that cannot begin says why") {
    const RunTrial fails_by_itself = [](const Profile&, const Names&) { return Result<Trial>(Trial{}); };
    const auto error = [&](const Profile& policy, const MinimizeOptions& options, const RunTrial& run) {
        const auto result = minimize(policy, machine(), options, run);
        REQUIRE_FALSE(result);
        return result.error().text();
    };
    CHECK(error(allowing({"read"}), {}, fails_by_itself) ==
          "the command does not succeed under the whole profile: nothing was denied, so it fails by itself");
    CHECK(error(allowing({"read"}), {}, [](const Profile&, const Names&) {
              return Result<Trial>(Trial{false, {"open", "read"}, {"open"}, false});
          }) == "the command does not succeed under the whole profile: it was denied open");
    CHECK(error(allowing({"read"}), {}, [](const Profile&, const Names&) {
              return Result<Trial>(fail("no more processes"));
          }) == "no more processes");
    Profile denylist = allowing({"read"});
    denylist.default_action = Action::allow;
    CHECK(error(denylist, {}, fails_by_itself) ==
          "lets through what it does not name (SCMP_ACT_ALLOW by default): there is nothing to take away");
    MinimizeOptions options;
    options.keep = {"raed"};
    CHECK(error(allowing({"read"}), options, fails_by_itself) ==
          "the profile does not let raed through: it cannot be kept");
}

TEST_CASE("where the runs are used up, the result is what has succeeded so far") {
    const Profile policy = allowing({"execve", "fork", "ioctl", "kill", "read", "write"});
    const Program program{{needs({"execve"}), tries({"ioctl"}), needs({"read"}), needs({"write"})}, {}};
    for (std::size_t most = 1; most <= 7; ++most) {
        MinimizeOptions options = every_call();
        options.max_runs = most;
        const Minimized result = minimized(policy, program, options);
        CAPTURE(most);
        CHECK(result.runs == most);
        CHECK((result.end == Minimized::End::complete) == (most == 7));
        CHECK(program.run(let_through(result.profile)).succeeded);
        if (most == 1) CHECK(result.profile == policy);
        if (most == 3) {
            CHECK(with(result, Fate::unused) == Names{"fork", "kill"});
            CHECK(with(result, Fate::needed) == Names{"execve"});
            CHECK(with(result, Fate::undecided) == Names{"ioctl", "read", "write"});
        }
    }
}

TEST_CASE("an interrupted search keeps what has succeeded so far") {
    std::size_t run = 0;
    const Program program{{needs({"read"}), tries({"ioctl"})}, {}};
    const auto result = minimize(allowing({"ioctl", "kill", "read"}), machine(), every_call(),
                                 [&](const Profile& candidate, const Names&) {
                                     Trial trial = program.run(let_through(candidate));
                                     trial.interrupted = ++run == 3;
                                     return Result<Trial>(trial);
                                 });
    REQUIRE(result);
    CHECK(result->end == Minimized::End::interrupted);
    CHECK(let_through(result->profile) == Names{"ioctl", "read"});
    CHECK(with(*result, Fate::undecided) == Names{"ioctl", "read"});
}

TEST_CASE("rules speak of a multiplexed call by both of its names") {
    const auto number = [](const char* name) { return *syscall_number(Abi::i386, name); };
    CHECK(names_in_rules({Abi::i386, number("socketcall")}, {1}) ==
          std::vector<std::string>{"socketcall", "socket"});
    CHECK(names_in_rules({Abi::i386, number("socket")}, {1}) == std::vector<std::string>{"socket"});
    CHECK(names_in_rules({Abi::x86_64, 0}, {}) == std::vector<std::string>{"read"});
    CHECK(names_in_rules({Abi::x86_64, 9999}, {}).empty());
}

TEST_CASE("a call that a command needs only now and then is put back when it shows") {
    const Program often{{needs({"read"})}, {}};
    const Program seldom{{needs({"read"}), needs({"futex"})}, {}};
    std::size_t run = 0;
    // The last one is the one that is to confirm.
    const auto result =
        minimize(allowing({"futex", "kill", "read"}), machine(), every_call(),
                 [&](const Profile& candidate, const Names&) {
                     ++run;
                     return Result<Trial>((run == 4 ? seldom : often).run(let_through(candidate)));
                 });
    REQUIRE(result);
    CHECK(with(*result, Fate::sometimes) == Names{"futex"});
    CHECK(let_through(result->profile) == Names{"futex", "read"});
    CHECK(result->end == Minimized::End::complete);
    CHECK(result->runs == 5);
}

TEST_CASE("a command that fails by itself now and then ends the search with what has succeeded") {
    const Program program{{needs({"read"}), needs({"write"})}, {}};
    std::size_t run = 0;
    const auto result = minimize(allowing({"kill", "read", "write"}), machine(), every_call(),
                                 [&](const Profile& candidate, const Names&) {
                                     Trial trial = program.run(let_through(candidate));
                                     if (++run == 3) trial = {false, {"read"}, {}, false};
                                     return Result<Trial>(trial);
                                 });
    REQUIRE(result);
    CHECK(result->end == Minimized::End::unstable);
    CHECK(let_through(result->profile) == Names{"read", "write"});
}

TEST_CASE("a repeated trial succeeds only if every run does") {
    const Program program{{needs({"read"})}, {}};
    const Program worse{{needs({"read"}), needs({"futex"})}, {}};
    MinimizeOptions options = every_call();
    options.repeat = 3;
    std::size_t run = 0;
    const auto result = minimize(
        allowing({"futex", "kill", "read"}), machine(), options, [&](const Profile& candidate, const Names&) {
            ++run;
            return Result<Trial>((run % 3 == 0 ? worse : program).run(let_through(candidate)));
        });
    REQUIRE(result);
    CHECK(let_through(result->profile) == Names{"futex", "read"});
    CHECK(with(*result, Fate::needed) == Names{"futex", "read"});
}

TEST_CASE("random programs keep exactly what they need, in few runs") {
    struct Sort {
        unsigned ends, late;
    };
    // Of 100 steps. Programs that end at once, those that also try what they can do without, and test suites.
    const std::vector<Sort> sorts{{100, 0}, {60, 0}, {60, 10}, {20, 0}, {0, 10}, {0, 50}};
    int with_one_more = 0;
    for (unsigned seed = 0; seed < 600; ++seed) {
        RandomPrograms random(seed);
        const Sort sort = sorts.at(seed % sorts.size());
        const unsigned when_failing = random.below(7);
        const bool fallbacks = random.below(2) == 0;
        const Program program =
            random.program(5 + random.below(60), sort.ends, sort.late, fallbacks, when_failing);
        const Profile policy = allowing(random.names());
        const Minimized result = minimized(policy, program);
        CAPTURE(seed);
        REQUIRE(result.end == Minimized::End::complete);
        const Names kept = let_through(result.profile);
        CHECK(program.run(kept).succeeded);
        CHECK(kept == with(result, Fate::needed));
        for (const std::string& name : kept) {
            Names fewer = kept;
            fewer.erase(name);
            INFO(name);
            CHECK_FALSE(program.run(fewer).succeeded);
        }
        const std::size_t made = program.run(let_through(policy)).made.size();
        CHECK(result.runs <= 2 * made + 3);
        if (sort.late == 0 && when_failing == 0 && !fallbacks) {
            CHECK(result.runs <= 2 * kept.size() + 5);
            if (result.runs > 2 * kept.size() + 4) ++with_one_more;
        }
        if (sort.ends == 100) CHECK(result.runs <= kept.size() + 12);
    }
    CHECK(with_one_more <= 1);
}

}  // namespace minimize_test
