#include "callcensus/lint_report.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "catch.hpp"
#include "report/sarif.hpp"

namespace lint_report_test {

using namespace callcensus;
using nlohmann::json;

namespace {

const std::vector<LintedFile> files{
    {"a dir/p.json",
     {{"CC201", Severity::warning, {4, 12}, "no system call is called \"r\x1b[31m\"", "write \"read\""},
      {"CC113", Severity::error, {9, 1}, "bad", "mend it"}}},
    {"q.json", {}},
    {"r.json", {{"CC512", Severity::note, {}, "of the whole", "list them"}}},
};

}  // namespace

TEST_CASE("lint for people: place, severity, code, fix and a sum") {
    CHECK(lint_text(files) ==
          "a dir/p.json:4:12: warning: no system call is called \"r\\x1b[31m\" [CC201]\n"
          "    write \"read\"\n"
          "a dir/p.json:9:1: error: bad [CC113]\n"
          "    mend it\n"
          "r.json:0:0: note: of the whole [CC512]\n"
          "    list them\n"
          "3 files: 1 error, 1 warning, 1 note\n");
    CHECK(lint_text({{"p.json", {}}}) == "1 file: 0 errors, 0 warnings, 0 notes\n");
}

TEST_CASE("lint for programs says the same") {
    const json report = json::parse(lint_json(files));
    CHECK(report["files"] == 3);
    CHECK(report["errors"] == 1);
    CHECK(report["warnings"] == 1);
    CHECK(report["notes"] == 1);
    REQUIRE(report["findings"].size() == 3);
    CHECK(report["findings"][0] == json{{"file", "a dir/p.json"},
                                        {"line", 4},
                                        {"column", 12},
                                        {"severity", "warning"},
                                        {"code", "CC201"},
                                        {"message", files[0].findings[0].message},
                                        {"fix", "write \"read\""}});
}

TEST_CASE("SARIF has what the standard requires") {
    const json log = json::parse(lint_sarif(files, lint_checks()));
    CHECK(log["version"] == "2.1.0");
    REQUIRE(log["runs"].size() == 1);
    const json& run = log["runs"][0];
    const json& driver = run["tool"]["driver"];
    CHECK(driver["name"] == "callcensus");
    CHECK(driver["rules"].size() == lint_checks().size());
    std::set<std::string> ids;
    for (const json& rule : driver["rules"]) {
        CHECK(ids.insert(rule["id"].get<std::string>()).second);
        CHECK_FALSE(rule["shortDescription"]["text"].get<std::string>().empty());
    }
    REQUIRE(run["results"].size() == 3);
    for (const json& result : run["results"]) {
        CHECK_FALSE(result["message"]["text"].get<std::string>().empty());
        CHECK(std::set<std::string>{"none", "note", "warning", "error"}.count(result["level"]) == 1);
        CHECK(driver["rules"][result["ruleIndex"].get<std::size_t>()]["id"] == result["ruleId"]);
        REQUIRE(result["locations"].size() == 1);
    }
    const json& where = run["results"][0]["locations"][0]["physicalLocation"];
    CHECK(where["artifactLocation"]["uri"] == "a%20dir/p.json");
    CHECK(where["region"] == json{{"startLine", 4}, {"startColumn", 12}});
    CHECK_FALSE(
        run["results"][2]["locations"][0]["physicalLocation"].contains("region"));  // lines count from 1
}

TEST_CASE("SARIF of nothing is an empty list, which says that all is well") {
    const json log = json::parse(lint_sarif({}, {}));
    CHECK(log["runs"][0]["results"] == json::array());
    CHECK(log["runs"][0]["tool"]["driver"]["rules"] == json::array());
}

}  // namespace lint_report_test
