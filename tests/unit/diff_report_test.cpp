#include "callcensus/diff_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.hpp"

namespace diff_report_test {

using namespace callcensus;
using nlohmann::json;

namespace {

// Of two profiles, one change of each kind and everything that is not about one call.
Difference of_profiles() {
    Difference difference;
    const auto add = [&](ChangeKind kind, const std::string& call, const std::string& before,
                         const std::string& after) {
        CallChange change;
        change.kind = kind;
        change.call = call;
        change.abis = {Abi::x86_64, Abi::i386};
        change.before = before;
        change.after = after;
        change.risk = risk_of(call);
        difference.calls.push_back(change);
    };
    add(ChangeKind::allowed, "bpf", "denied with EPERM", "allowed");
    difference.calls.back().context = "with CAP_BPF";
    add(ChangeKind::allowed, "read", "denied with EPERM", "allowed");
    add(ChangeKind::loosened, "clone", "allowed if arg0 & 0xff == 1, else denied with EPERM", "allowed");
    add(ChangeKind::altered, "write", "a", "b");
    add(ChangeKind::denied, "mount", "allowed", "denied with EPERM");
    add(ChangeKind::tightened, "dup", "allowed", "c");
    add(ChangeKind::redecided, "acct", "denied with EPERM", "denied with ENOSYS");
    difference.otherwise = {Decision{Action::errno_, 1}, Decision{Action::kill_process, 0}};
    difference.abis_added = {Abi::i386};
    difference.abis_removed = {Abi::x32};
    difference.flags = {"A B", ""};
    return difference;
}

Difference of_recordings() {
    Difference difference;
    difference.of_recordings = true;
    CallChange change;
    change.call = "bpf";
    change.abis = {Abi::x86_64};
    change.risk = risk_of("bpf");
    change.uses = {{"/bin/a|b", 7, false}, {"/bin/c\x1b[31m\n", 1, true}};
    change.sites = {{"/lib/ld.so", "0a", 0x20, "", 0}, {"/lib/lib|c.so.6", "0b", 0x30, "bpf", 5}};
    difference.calls = {change};
    return difference;
}

DiffReport report(const Difference& difference, bool general_counts = false) {
    return {"old.json", "new.json", difference,
            [](const CallChange& change) { return gains(change) && is_risky(change.risk); }, general_counts};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

// The names of a document's elements in order, "/name" where one ends, with attributes and text looked at as
// far as well-formedness asks. Enough XML for what JUnit files are.
std::vector<std::string> elements(const std::string& xml) {
    std::vector<std::string> open;
    std::vector<std::string> all;
    const auto check_text = [](const std::string& text) {
        CHECK(std::none_of(text.begin(), text.end(), [](char c) {
            return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f';
        }));
        for (std::size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
            const std::string entity = text.substr(at, text.find(';', at) - at);
            CHECK(std::set<std::string>{"&amp", "&lt", "&gt", "&quot"}.count(entity) == 1);
        }
    };
    REQUIRE(xml.rfind("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 0) == 0);
    std::size_t at = xml.find('\n');
    while (true) {
        const std::size_t begin = xml.find('<', at);
        if (begin == std::string::npos) break;
        check_text(xml.substr(at, begin - at));
        const std::size_t end = xml.find('>', begin);
        REQUIRE(end != std::string::npos);
        std::string tag = xml.substr(begin + 1, end - begin - 1);
        check_text(tag);
        CHECK(count(tag, "\"") % 2 == 0);
        CHECK(tag.find('<') == std::string::npos);
        at = end + 1;
        if (tag.front() == '/') {
            REQUIRE_FALSE(open.empty());
            CHECK(tag.substr(1) == open.back());
            open.pop_back();
            all.push_back(tag);
            continue;
        }
        const std::string name = tag.substr(0, tag.find_first_of(" /"));
        all.push_back(name);
        if (tag.back() != '/') open.push_back(name);
    }
    CHECK(open.empty());
    return all;
}

}  // namespace

TEST_CASE("a difference for people") {
    const std::string bpf(risk_of("bpf").reason);
    const std::string mount(risk_of("mount").reason);
    const std::string acct(risk_of("acct").reason);
    CHECK(
        diff_text(report(of_profiles())) ==
        "old.json -> new.json: 2 newly allowed, 1 allowed for more arguments, 1 allowed for other arguments, "
        "1 no longer allowed, 1 allowed for fewer arguments, 1 denied or logged otherwise\n"
        "  calls that no rule names: denied with EPERM -> kills the process\n"
        "  architectures added, whose calls were all killed: i386\n"
        "  architectures removed, whose calls are all killed: x32\n"
        "  flags are now \"\"; they were \"A B\"\n"
        "\nnewly allowed:\n"
        "  + bpf (x86_64, i386), with CAP_BPF\n"
        "      denied with EPERM -> allowed\n"
        "      dangerous (CAP_BPF): " +
            bpf +
            "\n"
            "  + read (x86_64, i386)\n"
            "      denied with EPERM -> allowed\n"
            "\nallowed for more arguments:\n"
            "  + clone (x86_64, i386)\n"
            "      allowed if arg0 & 0xff == 1, else denied with EPERM -> allowed\n"
            "\nallowed for other arguments:\n"
            "  + write (x86_64, i386)\n"
            "      a -> b\n"
            "\nno longer allowed:\n"
            "  - mount (x86_64, i386)\n"
            "      allowed -> denied with EPERM\n"
            "      dangerous (CAP_SYS_ADMIN): " +
            mount +
            "\n"
            "\nallowed for fewer arguments:\n"
            "  - dup (x86_64, i386)\n"
            "      allowed -> c\n"
            "\ndenied or logged otherwise:\n"
            "  ~ acct (x86_64, i386)\n"
            "      denied with EPERM -> denied with ENOSYS\n"
            "      needs-capability (CAP_SYS_PACCT): " +
            acct + "\n");
}

TEST_CASE("nothing different is said in every format") {
    Difference none;
    CHECK(diff_text(report(none)) == "old.json -> new.json: no difference in meaning\n");
    CHECK(diff_markdown(report(none)) ==
          "### System calls: old.json → new.json\n\n**no difference in meaning**\n");
    CHECK(json::parse(diff_json(report(none)))["same"] == true);
    CHECK(json::parse(diff_sarif(report(none)))["runs"][0]["results"] == json::array());
    CHECK(has(diff_junit(report(none)), "tests=\"1\" failures=\"0\""));
    CHECK(elements(diff_junit(report(none))) ==
          std::vector<std::string>{"testsuites", "testsuite", "testcase", "/testsuite", "/testsuites"});
    none.of_recordings = true;
    CHECK(has(diff_text(report(none)), "no difference in what is called"));
    Difference flags;
    flags.flags = {"A", "B"};
    CHECK(has(diff_text(report(flags)), "no difference for single calls\n  flags are now \"B\""));
}

TEST_CASE("recordings are spoken of as calls, with who makes them") {
    const Difference difference = of_recordings();
    const std::string reason(risk_of("bpf").reason);
    CHECK(diff_text(report(difference)) ==
          "old.json -> new.json: 1 newly called\n\nnewly called:\n  + bpf (x86_64)\n"
          "      dangerous (CAP_BPF): " +
              reason +
              "\n"
              "      made by /bin/a|b, at least 7 times\n"
              "      made by /bin/c\\x1b[31m\\x0a, 1 time\n"
              "      at ld.so+0x20, lib|c.so.6 (bpf)\n");
}

TEST_CASE("a difference for programs") {
    const Difference difference = of_profiles();
    const json object = json::parse(diff_json(report(difference)));
    CHECK(object["before"] == "old.json");
    CHECK(object["after"] == "new.json");
    CHECK(object["same"] == false);
    CHECK(object["default"] == json{{"before", "denied with EPERM"}, {"after", "kills the process"}});
    CHECK(object["architectures"] ==
          json{{"added", {"i386"}}, {"removed", {"x32"}}, {"risky_on_added", json::array()}});
    CHECK(object["flags"] == json{{"before", "A B"}, {"after", ""}});
    REQUIRE(object["calls"].size() == difference.calls.size());
    CHECK(
        object["calls"][0] ==
        json{{"call", "bpf"},
             {"change", "allowed"},
             {"abis", {"x86_64", "i386"}},
             {"context", "with CAP_BPF"},
             {"before", "denied with EPERM"},
             {"after", "allowed"},
             {"counts", true},
             {"risk", {{"class", "dangerous"}, {"capability", "CAP_BPF"}, {"reason", risk_of("bpf").reason}}},
             {"same_job_as", nullptr},
             {"sites", json::array()},
             {"uses", json::array()}});
    std::vector<std::string> kinds;
    for (const json& call : object["calls"]) kinds.push_back(call["change"]);
    CHECK(kinds == std::vector<std::string>{"allowed", "allowed", "loosened", "altered", "denied",
                                            "tightened", "redecided"});
    CHECK(object["calls"][1]["counts"] == false);
    const json recorded = json::parse(diff_json(report(of_recordings())));
    CHECK(recorded["calls"][0]["uses"] ==
          json{{{"executable", "/bin/a|b"}, {"count", 7}, {"exact", false}},
               {{"executable", "/bin/c\x1b[31m\n"}, {"count", 1}, {"exact", true}}});
    CHECK(recorded["calls"][0]["sites"] == json{{{"module", "/lib/ld.so"},
                                                 {"build_id", "0a"},
                                                 {"offset", 0x20},
                                                 {"symbol", ""},
                                                 {"symbol_offset", 0}},
                                                {{"module", "/lib/lib|c.so.6"},
                                                 {"build_id", "0b"},
                                                 {"offset", 0x30},
                                                 {"symbol", "bpf"},
                                                 {"symbol_offset", 5}}});
    CHECK(recorded["default"].is_null());
    CHECK(recorded["flags"].is_null());
}

TEST_CASE("in Markdown nothing from a file ends a cell") {
    Difference difference = of_recordings();
    difference.calls.front().call = "a`b|c\nd";
    const std::string text = diff_markdown({"a|b*.json", "new_\n.json", difference, {}});
    CHECK(text.rfind("### System calls: a\\|b\\*.json → new\\_\\\\x0a.json\n\n**1 newly called**\n\n", 0) ==
          0);
    CHECK(has(text, "| call | change | risk | why it matters | made by |\n|---|---|---|---|---|\n"));
    CHECK(has(text, "| `ab\\|c\\x0ad` (x86_64) | newly called | **dangerous (CAP\\_BPF)** | "));
    CHECK(has(text,
              "| /bin/a\\|b, at least 7 times; /bin/c\\\\x1b\\[31m\\\\x0a, 1 time; "
              "at ld.so+0x20, lib\\|c.so.6 (bpf) |\n"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 7);
}

TEST_CASE("Markdown of profiles has what was and what is") {
    const std::string text = diff_markdown(report(of_profiles()));
    CHECK(has(text, "\n* calls that no rule names: denied with EPERM -> kills the process\n"));
    CHECK(has(text, "\n* architectures removed, whose calls are all killed: x32\n"));
    CHECK(has(text, "| call | change | before → after | risk | why it matters |\n|---|---|---|---|---|\n"));
    CHECK(has(text,
              "| `bpf` (x86_64, i386) | newly allowed, with CAP\\_BPF | denied with EPERM → allowed | "
              "**dangerous (CAP\\_BPF)** | "));
    CHECK(
        has(text, "| `read` (x86_64, i386) | newly allowed | denied with EPERM → allowed | ordinary |  |\n"));
    // What is no longer allowed is not shouted about.
    CHECK(has(text, "| dangerous (CAP\\_SYS\\_ADMIN) |"));
    // As many bars in every row.
    for (std::size_t at = text.find("\n|"); at != std::string::npos; at = text.find("\n|", at + 1)) {
        const std::string row = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
        CHECK(count(row, "|") - count(row, "\\|") == 6);
    }
}

TEST_CASE("SARIF of a difference has what the standard requires") {
    const Difference difference = of_profiles();
    const json log = json::parse(diff_sarif(report(difference)));
    CHECK(log["version"] == "2.1.0");
    REQUIRE(log["runs"].size() == 1);
    const json& driver = log["runs"][0]["tool"]["driver"];
    CHECK(driver["name"] == "callcensus");
    const json& results = log["runs"][0]["results"];
    REQUIRE(results.size() == difference.calls.size() + 4);
    std::map<std::string, std::string> levels;
    for (const json& result : results) {
        CHECK_FALSE(result["message"]["text"].get<std::string>().empty());
        REQUIRE(result.contains("ruleIndex"));
        CHECK(driver["rules"][result["ruleIndex"].get<std::size_t>()]["id"] == result["ruleId"]);
        CHECK(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "new.json");
        levels[result["message"]["text"]] = result["level"];
    }
    CHECK(results[0]["ruleId"] == "diff-general");
    CHECK(results[4]["ruleId"] == "diff-allowed");
    CHECK(results[4]["level"] == "error");  // bpf
    CHECK(results[5]["level"] == "warning");
    CHECK(results[8]["level"] == "note");  // mount is denied
    CHECK(levels.count("read is newly allowed on x86_64, i386: denied with EPERM -> allowed") == 1);
    const json recorded = json::parse(diff_sarif(report(of_recordings())));
    const std::string message = recorded["runs"][0]["results"][0]["message"]["text"];
    CHECK(message ==
          "bpf is newly called on x86_64; dangerous (CAP_BPF): " + std::string(risk_of("bpf").reason) +
              "; made by /bin/a|b, at least 7 times and 1 more; at ld.so+0x20, lib|c.so.6 (bpf)");
}

TEST_CASE("JUnit: what counts has failed") {
    const Difference difference = of_profiles();
    const std::string text = diff_junit(report(difference));
    const auto names = elements(text);
    CHECK(std::count(names.begin(), names.end(), "testcase") == 8);
    CHECK(std::count(names.begin(), names.end(), "failure") == 1);
    CHECK(has(text, "tests=\"8\" failures=\"1\""));
    CHECK(has(text,
              "<testcase classname=\"allowed\" name=\"bpf (x86_64, i386) with CAP_BPF\">\n"
              "      <failure message=\"bpf is newly allowed on x86_64, i386 (with CAP_BPF): "
              "denied with EPERM -&gt; allowed; dangerous"));
    CHECK(has(text, "allowed if arg0 &amp; 0xff == 1"));
    CHECK(has(text, "flags are now &quot;&quot;; they were &quot;A B&quot;"));
    // A new default makes the status 1 and so is a failure, whatever happens to single calls.
    CHECK(has(diff_junit(report(difference, true)), "tests=\"8\" failures=\"2\""));
    Difference only_default;
    only_default.otherwise = difference.otherwise;
    CHECK(has(diff_junit(report(only_default, true)), "tests=\"1\" failures=\"1\""));

    Difference hostile = of_recordings();
    hostile.calls.front().call = "<&\">\x01";
    hostile.calls.front().uses.front().executable = "]]>\x7f";
    const auto of_hostile =
        elements(diff_junit({"<a>", "\"b\"\n", hostile, [](const auto&) { return true; }}));
    CHECK(std::count(of_hostile.begin(), of_hostile.end(), "failure") == 1);
}

}  // namespace diff_report_test
