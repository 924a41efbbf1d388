#include "callcensus/minimize_report.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

namespace minimize_report_test {

using namespace callcensus;

namespace {

Minimized found() {
    Minimized minimized;
    minimized.runs = 7;
    minimized.calls = {{"access", Fate::dispensable, 0}, {"bpf", Fate::other_machine, 0},
                       {"execve", Fate::needed, 3},      {"fork", Fate::unused, 0},
                       {"futex", Fate::sometimes, 6},    {"gettimeofday", Fate::answered_ahead, 0},
                       {"kill", Fate::by_request, 0},    {"mount", Fate::unused, 0},
                       {"old", Fate::no_such_call, 0},   {"prctl", Fate::runtime, 0},
                       {"read", Fate::undecided, 0},     {"rt_sigreturn", Fate::unseen, 0},
                       {"write", Fate::needed, 4}};
    return minimized;
}

}  // namespace

TEST_CASE("a report on a minimized profile says of every kept call why it is kept") {
    CHECK(minimize_lines(found()) ==
          std::vector<std::string>{
              "10 of 13 calls are left after 7 runs; 2 were never made",
              "needed: execve, write",
              "needed in some runs: futex",
              "removed, although made: the command succeeds without: access",
              "kept, not decided: read",
              "kept, not tried: container runtimes need it: prctl",
              "kept, not tried: happens unseen: rt_sigreturn",
              "kept, not tried: answered by the vDSO here, by the kernel elsewhere: gettimeofday",
              "kept, not tried: no call of this machine: old",
              "kept, not tried: allowed for other containers or machines only: bpf",
              "kept, not tried: by request: kill",
          });
}

TEST_CASE("a report on a search that ended early warns") {
    const auto last = [](Minimized::End end) {
        Minimized minimized = found();
        minimized.end = end;
        return minimize_lines(minimized).back();
    };
    CHECK(last(Minimized::End::complete) == "kept, not tried: by request: kill");
    CHECK(last(Minimized::End::out_of_runs).find("warning: the runs were used up") == 0);
    CHECK(last(Minimized::End::interrupted).find("warning: interrupted") == 0);
    CHECK(last(Minimized::End::unstable).find("warning: the last run failed") == 0);
}

TEST_CASE("a report on a minimized profile as JSON names every call and its fate") {
    Minimized minimized = found();
    minimized.end = Minimized::End::out_of_runs;
    const std::string text = minimize_json(minimized);
    CHECK(text.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["end"] == "out-of-runs");
    CHECK(json["runs"] == 7);
    REQUIRE(json["calls"].size() == minimized.calls.size());
    CHECK(json["calls"][0] == nlohmann::json{{"name", "access"}, {"kept", false}, {"fate", "dispensable"}});
    CHECK(json["calls"][2] ==
          nlohmann::json{{"name", "execve"}, {"kept", true}, {"fate", "needed"}, {"run", 3}});
    for (std::size_t i = 0; i < minimized.calls.size(); ++i)
        CHECK(json["calls"][i]["kept"] == !is_removed(minimized.calls[i].fate));
}

}  // namespace minimize_report_test
