// Names that want to do something to whoever reads a report, through every report and every format: a
// person's terminal gets no commands, a program gets the name as it is.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/diff_report.hpp"
#include "callcensus/explain_report.hpp"
#include "callcensus/lint_report.hpp"
#include "callcensus/minimize_report.hpp"
#include "callcensus/show_report.hpp"
#include "callcensus/verify_report.hpp"
#include "container/runtime_bundle.hpp"
#include "format/json_text.hpp"
#include "format/yaml_writer.hpp"
#include "profiles.hpp"
#include "report/summary.hpp"

namespace hostile_names_test {

using namespace callcensus;
using namespace callcensus::testing;
using nlohmann::json;

namespace {

// ESC, a new line with what could be a rule, DEL, U+009B (CSI), U+0085 (next line), U+2028 (line separator),
// and from here on right to left; what JSON, XML, Markdown and C use themselves; and a letter that is to
// stay.
const std::string hostile =
    "/x\x1b[31m\nptrace: 1\r\x7f\xc2\x9b\xc2\x85\xe2\x80\xa8\xe2\x80\xae\"\\|`*/]]>\xc3\xa9";

// Of UTF-8: no character that a terminal could take for a command, and nothing that is no UTF-8.
bool is_fit_for_terminal(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : 0);
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f || (byte == 0xc2 && next < 0xa0)) return false;
    }
    return text.find("\xe2\x80\xae") == std::string::npos && text.find("\xe2\x80\xa8") == std::string::npos;
}

bool holds(const json& value, const std::string& text) {
    if (value.is_string()) return value.get<std::string>().find(text) != std::string::npos;
    return value.is_structured() &&
           std::any_of(value.begin(), value.end(), [&](const json& element) { return holds(element, text); });
}

// It is one, it has the name, and it can be shown on a terminal.
void check_json(const std::string& text) {
    CAPTURE(text);
    CHECK(is_fit_for_terminal(text));
    const json value = json::parse(text, nullptr, false);
    REQUIRE_FALSE(value.is_discarded());
    CHECK(holds(value, hostile));
}

void check_text(const std::string& text) {
    CAPTURE(text);
    CHECK(is_fit_for_terminal(text));
    CHECK(text.find("\nptrace: 1") == std::string::npos);
}

Recording a_recording(const std::string& call) {
    Recording recording;
    recording.engine = "ptrace";
    recording.command = {hostile};
    recording.gaps = recording.notes = {hostile};
    recording.executables = {hostile};
    recording.processes.push_back({1, std::nullopt, {}, {0}, 1, ExitStatus{}, Scope::process});
    CallRecord record;
    record.call = find_call(Abi::x86_64, call).value();
    record.count = 1;
    record.by_executable = {{0, 1}};
    record.sites = {CallSite{hostile, hostile, 1, hostile, 1}};
    recording.calls = {record};
    return recording;
}

Profile a_profile() {
    Profile one = profile(R"({"names": ["read"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]})");
    for (Rule& rule : one.rules) {
        rule.comment = hostile;
        rule.names.push_back(hostile);
    }
    one.flags = {hostile};
    one.listener_path = one.listener_metadata = hostile;
    return one;
}

std::string lines(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& line : all) text += printable(line) + "\n";  // as cli/messages.hpp prints them
    return text;
}

}  // namespace

TEST_CASE("what a person reads has no commands for the terminal") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"plain \\x1b", "plain \\x1b"},
        {"\x1b[31m\n\t\r", "\\x1b[31m\\x0a\\x09\\x0d"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "1m",
         "\\xc2\\x9b1m"},
        {"\x9b"
         "1m \xff",
         "\\x9b1m \\xff"},                                                          // no UTF-8
        {"\xc3", "\\xc3"},                                                          // cut off
        {"\xc0\x9b \xe0\x82\x9b", "\\xc0\\x9b \\xe0\\x82\\x9b"},                    // overlong
        {"\xed\xa0\x80 \xf4\x90\x80\x80", "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"},  // no characters
        {"\xe2\x80\xae"
         "abc\xe2\x81\xa9\xd8\x9c",
         "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa9\\xd8\\x9c"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0",
         "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0"},
    };
    for (const auto& [text, shown] : table) {
        CHECK(printable(text) == shown);
        CHECK(printable(printable(text)) == shown);
    }
    CHECK(without_controls("a\nb\xc2\x9b"
                           "c\xc3\xa9") == "a b  c\xc3\xa9");
}

TEST_CASE("what a program reads is every character as it is, and fit for a terminal") {
    for (char32_t code = 1; code < 0x10000; ++code) {
        if (code >= 0xd800 && code < 0xe000) continue;
        std::string name;
        if (code < 0x80)
            name = {static_cast<char>(code)};
        else if (code < 0x800)
            name = {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
        else
            name = {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)),
                    static_cast<char>(0x80 | (code & 63))};
        const std::string text = json_text(json(name));
        if (json::parse(text, nullptr, false) != json(name) || !is_fit_for_terminal(text)) {
            CAPTURE(static_cast<unsigned>(code), text);
            FAIL("this character is lost, or goes to the terminal");
        }
    }
    CHECK(json::parse(json_text(json("\xff\x9b"
                                     "a"))) == json("\xef\xbf\xbd\xef\xbf\xbd"
                                                    "a"));
    CHECK(json_text(json{{"a", {1}}}, 1) == "{\n \"a\": [\n  1\n ]\n}");
}

TEST_CASE("hostile names pass through the reports on recordings") {
    const std::vector<Recording> recordings{a_recording("read")};
    std::vector<ProfileReport> profiles(1);
    profiles[0].path = profiles[0].executable = hostile;
    profiles[0].written = true;
    profiles[0].derivation.warnings = {hostile};
    const Summary summary{recordings[0], profiles, hostile, 1, 0, hostile};
    check_json(summary_json(summary));
    check_text(lines(summary_lines(summary)));
    check_json(write_recording(recordings[0]));
    const auto again = parse_recording(write_recording(recordings[0]), "r.json");
    REQUIRE(again);
    CHECK(again->executables == recordings[0].executables);
    CHECK(again->calls[0].sites == recordings[0].calls[0].sites);

    const auto calls = shown_calls(recordings);
    check_json(show_json(hostile, headlines(recordings), calls));
    check_text(show_text(hostile, headlines(recordings), calls, false));

    const auto difference = diff(recordings, std::vector<Recording>{a_recording("write")}, {});
    REQUIRE(difference);
    const DiffReport report{hostile, hostile, *difference, [](const CallChange&) { return true; }, true};
    check_json(diff_json(report));
    check_json(diff_sarif(report));
    check_text(diff_text(report));
    check_text(diff_markdown(report));
    check_text(diff_junit(report));
}

TEST_CASE("hostile names pass through the reports on profiles") {
    const Profile one = a_profile();
    const auto calls = shown_calls(one);
    check_json(show_json(hostile, headlines(one), calls));
    check_text(show_text(hostile, headlines(one), calls, false));

    auto readings = explain(one, machine(), Abi::x86_64, "socket", {});
    REQUIRE(readings);
    const ExplainReport explained{hostile, one, nullptr, {{Syscall{Abi::x86_64, 41}, *readings}}};
    check_json(explain_json(explained));
    check_text(explain_text(explained));

    const std::vector<LintedFile> linted{{hostile, {{"CC101", Severity::error, {1, 1}, hostile, hostile}}}};
    check_json(lint_json(linted));
    check_json(lint_sarif(linted, lint_checks()));
    check_text(lint_text(linted));

    Minimized minimized;
    minimized.calls = {{hostile, Fate::needed, 1}};
    check_json(minimize_json(minimized));
    check_text(lines(minimize_lines(minimized)));
    check_json(log_line(hostile));
}

TEST_CASE("hostile names pass through every format that is written") {
    const Profile one = a_profile();
    Profile plain = one;
    for (Rule& rule : plain.rules) rule.names.pop_back();
    plain.flags.clear();
    const auto compiled = compile(plain, machine());
    REQUIRE(compiled);
    for (const FormatInfo& format : all_formats()) {
        if (format.id == "bpf") continue;  // not text
        CAPTURE(format.id);
        WriteContext context;
        context.source = context.name = hostile;
        context.machine = machine();
        if (format.compiled) {
            context.filter = compiled->code;
            context.pfc = compiled->pfc;
        }
        const auto written = write_as(format, one, context);
        REQUIRE(written);
        check_text(written->content);
        for (const std::string& loss : written->losses) CHECK(is_fit_for_terminal(loss));
        if (format.id != "oci" && format.id != "docker" && format.id != "spo") continue;
        ReadContext from;
        from.source = "again";
        const auto again = format.read(written->content, from);
        REQUIRE(again);
        if (format.id != "spo") CHECK(again->rules[0].comment == hostile);
    }
}

}  // namespace hostile_names_test
