#include "report/summary.hpp"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "catch.hpp"

namespace summary_test {

using namespace callcensus;

namespace {

struct Fixture {
    Recording recording;
    std::vector<ProfileReport> profiles{1};
    Derivation& derivation = profiles.front().derivation;
    std::string why;

    Fixture() {
        profiles.front().path = "p.json";
        profiles.front().written = true;
        recording.engine = "ptrace";
        recording.duration = Milliseconds(1500);
        recording.status = ExitStatus{3, 0};
        recording.processes.resize(2);
        recording.calls.resize(2);
        recording.calls[0].call = {Abi::x86_64, 425};
        recording.calls[1].call = {Abi::x86_64, 101};
        recording.calls[1].returned = {{EPERM, 1}};
        derivation.unnamed = {{{Abi::x86_64, 0xffffffff}, 2, false}};
        derivation.warnings = {"a warning"};
    }
    [[nodiscard]] std::string text(std::size_t survivors = 0, std::size_t let_go = 0) const {
        std::string all;
        for (const std::string& line : summary_lines({recording, profiles, why, survivors, let_go, "r.json"}))
            all += line + "\n";
        return all;
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the summary tells what was seen and written") {
    CHECK(text().find("2 different system calls on x86_64, 2 processes, 1.500 s, engine ptrace; the "
                      "recording is complete") != std::string::npos);
    CHECK(text().find("p.json") != std::string::npos);
    CHECK(text().find("r.json") != std::string::npos);
    CHECK(text().find("warning: a warning") != std::string::npos);
    CHECK(text().find("call -1 of x86_64 (2 times) has no name") != std::string::npos);
    CHECK(text(1).find("1 process outlived") != std::string::npos);
    CHECK(text(1, 2).find("2 tasks live on") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "the summary tells which engine ran and why") {
    why = "adaptive: it has a reason";
    CHECK(text().find("engine ptrace (not adaptive: it has a reason);") != std::string::npos);
    why = "";
    recording.engine = "adaptive";
    recording.processes[1].scope = Scope::tree;
    CHECK(text().find("engine adaptive (released 1 of them);") != std::string::npos);
    const auto json = nlohmann::json::parse(summary_json({recording, profiles, why, 1, 0, ""}));
    CHECK(json.at("counts") == "at least");
    CHECK(json.at("why_this_engine").is_null());
}

TEST_CASE_METHOD(Fixture, "gaps are told") {
    recording.gaps = {"a child was lost"};
    CHECK(text().find("NOT complete:\n  a child was lost\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a recording's limits are told") {
    CHECK(text().find("io_uring") != std::string::npos);
    CHECK(text().find("uses ptrace itself") != std::string::npos);
    recording.calls.clear();
    CHECK(advice(recording).empty());
}

TEST_CASE_METHOD(Fixture, "the machine's form holds the same") {
    const auto json = nlohmann::json::parse(summary_json({recording, profiles, why, 1, 0, ""}));
    CHECK(json.at("calls") == 2);
    CHECK(json.at("complete") == true);
    CHECK(json.at("exit_code") == 3);
    CHECK(json.at("profiles").at(0).at("path") == "p.json");
    CHECK(json.at("recording").is_null());
    CHECK(json.at("profiles").at(0).at("unnamed").at(0).at("number") == 4294967295);
    recording.status = ExitStatus{0, 9};
    CHECK(nlohmann::json::parse(summary_json({recording, profiles, why, 1, 0, ""})).at("signal") == 9);
}

TEST_CASE_METHOD(Fixture, "of many calls without a name some are told and the others counted") {
    derivation.unnamed.clear();
    for (std::uint32_t number = 0; number < 100'000; ++number)
        derivation.unnamed.push_back({{Abi::x86_64, 100'000 + number}, 1, false});
    const auto lines = warnings(profiles);
    CHECK(lines.size() == 18);  // with the other warning
    CHECK(lines.back() == "99984 more calls have no name and are not in the profile; a recording lists them");
}

}  // namespace summary_test
