#include "callcensus/verify_report.hpp"

#include <nlohmann/json.hpp>

#include "profiles.hpp"

namespace verify_report_test {

using namespace callcensus;
using namespace callcensus::testing;
using nlohmann::json;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t how_often(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

constexpr const char* text = R"({
 "defaultAction": "SCMP_ACT_ERRNO",
 "defaultErrnoRet": 38,
 "architectures": ["SCMP_ARCH_X86_64"],
 "syscalls": [
  {"names": ["read", "bpf"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
 ]
})";

// A report about that profile, and everything that it refers to.
struct Reported {
    Profile profile = parse(text);
    ProfileText places = read_leniently(text, "p.json").value();
    VerifyReport report{
        "p.json",         profile, &places, VerifyMode::audit, "prog -x", {}, {}, Milliseconds(1500), 2,
        ExitStatus{3, 0}, {},      {}};

    VerifyFinding finding(const std::string& call, const std::string& executable = "/bin/prog") const {
        VerifyFinding finding;
        finding.denial.call = find_call(Abi::x86_64, call).value();
        finding.reading = explain(profile, machine(), Abi::x86_64, call, {}).value().front();
        finding.denial.decision = finding.reading.decision.value();
        finding.denial.executable = executable;
        finding.denial.process = 70;
        finding.denial.thread = 71;
        finding.denial.text = call + "(1, 2)";
        finding.denial.count = 3;
        finding.denial.first = Milliseconds(12.5);
        finding.changes = {"change it"};
        return finding;
    }
    Reported& with(const VerifyFinding& finding) {
        report.findings.push_back(finding);
        return *this;
    }
};

// The text of every element, by a reader that knows as much of XML as our writer uses, and fails at all else.
std::vector<std::string> xml_texts(const std::string& document) {
    std::vector<std::string> texts;
    std::string current;
    for (std::size_t i = 0; i < document.size(); ++i) {
        const auto byte = static_cast<unsigned char>(document[i]);
        REQUIRE((byte >= 0x20 || byte == '\n'));
        if (byte == '<') {
            const std::size_t end = document.find('>', i);
            REQUIRE(end != std::string::npos);
            REQUIRE(document.substr(i + 1, end - i - 1).find('<') == std::string::npos);
            texts.push_back(current);
            current.clear();
            i = end;
        } else if (byte == '&') {
            const std::size_t end = document.find(';', i);
            const std::string entity = document.substr(i, end - i + 1);
            INFO(entity);
            REQUIRE((entity == "&lt;" || entity == "&gt;" || entity == "&amp;" || entity == "&quot;"));
            current += entity == "&lt;" ? '<' : entity == "&gt;" ? '>' : entity == "&amp;" ? '&' : '"';
            i = end;
        } else {
            current += document[i];
        }
    }
    return texts;
}

}  // namespace

TEST_CASE("verify for people: the call, who made it, where it is decided, what would allow it") {
    Reported reported;
    VerifyFinding finding = reported.finding("socket");
    finding.denial.site = CallSite{"/lib/libc.so.6", "0123ab", 0x1234, "socket", 0xb};
    finding.stack = {*finding.denial.site, {"/bin/prog", "", 0x99, "", 0}};
    CHECK(verify_text(reported.with(finding).report) ==
          "callcensus: p.json would deny 1 call of: prog -x\n"
          "  socket on x86_64: denied with EPERM\n"
          "      socket(1, 2)\n"
          "      by /bin/prog, process 70, thread 71, 3 times, first after 0.013 s\n"
          "      in /lib/libc.so.6 (socket+0xb), offset 0x1234, build-id 0123ab\n"
          "          /lib/libc.so.6 (socket+0xb)\n"
          "          /bin/prog+0x99\n"
          "      decided by p.json:7:3: syscalls[1]\n"
          "      to allow it: change it\n");
    CHECK(verify_text(Reported().report) == "callcensus: p.json would deny no call of: prog -x\n");
}

TEST_CASE("the place of a call needs no build-id, and tells its offset once") {
    const auto shown = [](const CallSite& site) {
        Reported reported;
        VerifyFinding finding = reported.finding("socket");
        finding.denial.site = site;
        return verify_text(reported.with(finding).report);
    };
    CHECK(has(shown({"/bin/go", "", 0x1234, "main", 0xb}), "      in /bin/go (main+0xb), offset 0x1234\n"));
    CHECK(has(shown({"/bin/prog", "", 0x99, "", 0}), "      in /bin/prog+0x99\n"));
    CHECK(has(shown({"/bin/prog", "0a", 0x99, "", 0}), "      in /bin/prog+0x99, build-id 0a\n"));
}

TEST_CASE("verify says what was enforced, what is not certain and what was not seen") {
    Reported reported;
    reported.report.mode = VerifyMode::enforce;
    VerifyFinding finding = reported.finding("mount");
    finding.denial.exact = false;
    finding.denial.count = 1;
    finding.denial.thread = 70;
    reported.with(finding);
    reported.report.gaps = {"two tasks\x1b",
                            "\xc2\x9b"
                            "1m \xc3\xa9"};
    reported.report.notes = {"of interest"};
    reported.report.status.reset();
    const std::string shown = verify_text(reported.report);
    CHECK(has(shown, "callcensus: p.json would deny 1 call of: prog -x\n"));  // it was not started
    reported.report.status = ExitStatus{};
    CHECK(has(verify_text(reported.report), "callcensus: p.json has denied 1 call of: prog -x\n"));
    CHECK(has(shown, "NOT everything was seen: \\xc2\\x9b1m \xc3\xa9\n"));
    CHECK(has(shown, "process 70, at least 1 time, first after"));
    CHECK(has(shown, "decided by p.json:2:19: defaultAction\n"));
    CHECK(has(shown, "callcensus: NOT everything was seen: two tasks\\x1b\n"));
    CHECK(has(shown, "callcensus: note: of interest\n"));

    Reported perhaps;
    finding.denial.decision.reset();
    CHECK(denials_in(perhaps.with(finding).report) == 0);
    CHECK(has(verify_text(perhaps.report), "would deny no call"));
}

TEST_CASE("verify without places names the rule") {
    Reported reported;
    reported.report.text = nullptr;
    CHECK(has(verify_text(reported.with(reported.finding("socket")).report),
              "decided by p.json: syscalls[1]\n"));
    CHECK(json::parse(verify_json(reported.report))["findings"][0]["decided_by"] ==
          json{{"path", "syscalls[1]"}});
}

TEST_CASE("verify for programs says the same") {
    Reported reported;
    VerifyFinding by_runtime = reported.finding("mount");
    by_runtime.denial.runtime = "runc";
    VerifyFinding listened = reported.finding("socket");
    listened.denial.decision = {Action::notify, 0};
    reported.with(reported.finding("socket")).with(by_runtime).with(listened);
    reported.report.unused = {{0, {"bpf"}, false, false}};
    const json report = json::parse(verify_json(reported.report));
    CHECK(report["denials"] == 2);
    CHECK(report["mode"] == "audit");
    CHECK(report["exit_code"] == 3);
    CHECK(report["duration_ms"] == 1500);
    CHECK(report["complete"] == true);
    REQUIRE(report["findings"].size() == 3);
    CHECK(report["findings"][0]["code"] == "CV101");
    CHECK(report["findings"][0]["action"] == "SCMP_ACT_ERRNO");
    CHECK(report["findings"][0]["process"] == 70);
    CHECK(report["findings"][0]["first_ms"] == 12.5);
    CHECK(report["findings"][1]["code"] == "CV103");
    CHECK(report["findings"][1]["runtime"] == "runc");
    CHECK(report["findings"][1].count("process") == 0);
    CHECK(report["findings"][2]["code"] == "CV102");
    CHECK(report["unused"][0]["calls"][0] == json{{"name", "bpf"}, {"risk", "dangerous"}});
    CHECK(report["unused"][0]["rule"]["line"] == 6);

    reported.report.status = ExitStatus{0, 9};
    CHECK(json::parse(verify_json(reported.report))["signal"] == 9);
    CHECK(json::parse(verify_json(reported.report)).count("exit_code") == 0);
}

TEST_CASE("JUnit counts failures as verify counts denials") {
    Reported reported;
    VerifyFinding perhaps = reported.finding("mount");
    perhaps.denial.decision.reset();
    reported.with(reported.finding("socket")).with(perhaps);
    const std::string document = verify_junit(reported.report);
    CHECK(how_often(document, "tests=\"2\" failures=\"1\"") == 2);
    CHECK(how_often(document, "<testcase ") == 2);
    CHECK(how_often(document, "<failure message=\"denied with EPERM\">") == 1);
    CHECK(how_often(document, "<system-out>") == 1);
    const std::string none = verify_junit(Reported().report);
    CHECK(how_often(none, "tests=\"1\" failures=\"0\"") == 2);
    CHECK(how_often(none, "<testcase ") == 1);
}

TEST_CASE("SARIF of verify has rule, level and place") {
    Reported reported;
    reported.report.unused = {{0, {"bpf"}, false, false}};
    const json log = json::parse(verify_sarif(reported.with(reported.finding("socket")).report));
    const json& run = log["runs"][0];
    REQUIRE(run["results"].size() == 2);
    CHECK(run["results"][0]["ruleId"] == "CV101");
    CHECK(run["results"][0]["level"] == "error");
    CHECK(run["results"][0]["locations"][0]["physicalLocation"]["region"] ==
          json{{"startLine", 7}, {"startColumn", 3}});
    CHECK(run["results"][1]["ruleId"] == "CV201");
    CHECK(run["results"][1]["level"] == "note");
    for (const json& result : run["results"])
        CHECK(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"] ==
              result["ruleId"]);
}

TEST_CASE("names that want to break a report do not") {
    const std::string name = "/tmp/a<b&\"'>]]>\x1b[31m\n\xff\xc3(\xed\xa0\x80\xef\xbf\xbe\xc3\xa9";
    Reported reported;
    reported.report.file = name;
    reported.report.subject = name;
    VerifyFinding finding = reported.finding("socket", name);
    finding.denial.site = CallSite{name, "", 1, name, 0};
    finding.denial.text = "openat(\"" + name + "\")";
    reported.with(finding);
    reported.report.gaps = {name};

    const std::string shown = verify_text(reported.report);
    CHECK(std::none_of(shown.begin(), shown.end(), [](char c) {
        return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    }));
    CHECK(how_often(shown, "\n") == 8);
    CHECK_NOTHROW(json::parse(verify_json(reported.report)));
    CHECK_NOTHROW(json::parse(verify_sarif(reported.report)));
    const std::string document = verify_junit(reported.report);
    const auto texts = xml_texts(document);
    CHECK(std::any_of(texts.begin(), texts.end(),
                      [](const std::string& one) { return has(one, "/tmp/a<b&\"'>]]>\\x1b[31m\\x0a"); }));
    // It is well-formed UTF-8 of characters that XML knows, as what JSON takes for a string tells.
    CHECK_NOTHROW(json(document).dump());
    CHECK_FALSE(has(document, "\xef\xbf\xbe"));
    CHECK(has(document, "\xc3\xa9"));
}

}  // namespace verify_report_test
