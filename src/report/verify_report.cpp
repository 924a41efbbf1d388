#include "callcensus/verify_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "base/words.hpp"
#include "callcensus/describe.hpp"
#include "callcensus/risk.hpp"
#include "format/json_text.hpp"
#include "report/profile_place.hpp"
#include "report/sarif.hpp"
#include "report/sites_json.hpp"
#include "report/xml.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view denied_code = "CV101";
constexpr std::string_view perhaps_denied_code = "CV102";
constexpr std::string_view runtime_code = "CV103";
constexpr std::string_view unused_code = "CV201";
constexpr std::string_view help = "docs/verify.md";

std::string identity(const Denial& denial) {
    return fmt::format("{} on {}", name_or_number(denial.call), info(denial.call.abi).id);
}

std::string decision_text(const VerifyFinding& finding) {
    const Reading& reading = finding.reading;
    if (!reading.covered) return describe(*finding.denial.decision) + ": the profile is not for this ABI";
    return finding.denial.decision ? describe(*finding.denial.decision) : describe(reading.meaning);
}

std::string times(const Denial& denial) {
    return fmt::format("{}{}", denial.exact ? "" : "at least ", counted(denial.count, "time"));
}

// "syscalls[3]", of the rule that decides; where none does, the default.
std::string path_of(const Reading& reading) {
    if (!reading.covered) return "architectures";
    return reading.reasons.empty() ? "defaultAction" : path_of_rule(reading.reasons.front().rule);
}

std::string who(const Denial& denial) {
    if (!denial.runtime.empty())
        return denial.runtime + ", between loading the filter and executing the command";
    std::string text = denial.executable;
    if (denial.process != 0) text += fmt::format(", process {}", denial.process);
    if (denial.thread != 0 && denial.thread != denial.process)
        text += fmt::format(", thread {}", denial.thread);
    return text;
}

std::vector<std::string> lines_of(const VerifyReport& report, const VerifyFinding& finding) {
    const Denial& denial = finding.denial;
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{}: {}", identity(denial), decision_text(finding)));
    if (denial.text != name_or_number(denial.call)) lines.push_back("    " + denial.text);
    std::string by = "    by " + who(denial);
    if (denial.runtime.empty()) {
        by += ", " + times(denial);
        if (denial.process != 0) by += fmt::format(", first after {:.3f} s", denial.first.count() / 1000);
    }
    lines.push_back(by);
    if (denial.site) {
        std::string module = "    in " + full_text(*denial.site);
        if (!denial.site->symbol.empty()) module += fmt::format(", offset {:#x}", denial.site->offset);
        if (!denial.site->build_id.empty()) module += ", build-id " + denial.site->build_id;
        lines.push_back(module);
    }
    for (const CallSite& frame : finding.stack) lines.push_back("        " + full_text(frame));
    lines.push_back("    decided by " + where(report.file, report.text, path_of(finding.reading)));
    for (const std::string& change : finding.changes) lines.push_back("    to allow it: " + change);
    if (finding.no_profile_can) lines.emplace_back("    no profile can allow it: the call has no name");
    return lines;
}

std::string headline(const VerifyReport& report) {
    const std::size_t denials = denials_in(report);
    const bool enforced =
        report.mode == VerifyMode::enforce && report.status;  // else it was not even started
    if (denials == 0)
        return fmt::format("{} {} of: {}", report.file,
                           enforced ? "has denied no call" : "would deny no call", report.subject);
    return fmt::format("{} {} {} of: {}", report.file, enforced ? "has denied" : "would deny",
                       counted(denials, "call"), report.subject);
}

std::vector<std::string> dangers_of(const std::vector<std::string>& names) {
    std::vector<std::string> risky;
    for (const std::string& name : names)
        if (const Risk risk = risk_of(name); is_risky(risk))
            risky.push_back(fmt::format("{} ({})", name, id(risk.cls)));
    return risky;
}

std::string unused_line(const VerifyReport& report, const UnusedAllowance& allowance) {
    const std::string path = path_of_rule(allowance.rule);
    const std::string what = allowance.perhaps      ? "perhaps not used, as its arguments are not known"
                             : allowance.whole_rule ? "not used at all"
                                                    : "not used in part";
    std::string line =
        fmt::format("{}: {}: {}", where(report.file, report.text, path), what, listed(allowance.names));
    const std::string& why = report.profile.rules[allowance.rule].comment;
    if (!why.empty()) line += " (" + why + ")";
    const auto risky = dangers_of(allowance.names);
    if (!risky.empty()) line += "; risky: " + listed(risky);
    return line;
}

std::string_view code_of(const VerifyFinding& finding) {
    if (!finding.denial.runtime.empty()) return runtime_code;
    return is_denial(finding.denial) ? denied_code : perhaps_denied_code;
}

}  // namespace

std::string_view to_string(VerifyMode mode) {
    constexpr std::array<std::string_view, 3> names{"audit", "enforce", "recording"};
    return names.at(static_cast<std::size_t>(mode));
}

std::size_t denials_in(const VerifyReport& report) {
    return static_cast<std::size_t>(
        std::count_if(report.findings.begin(), report.findings.end(),
                      [](const VerifyFinding& finding) { return is_denial(finding.denial); }));
}

std::string verify_text(const VerifyReport& report) {
    std::vector<std::string> lines{"callcensus: " + headline(report)};
    for (const VerifyFinding& finding : report.findings)
        for (const std::string& line : lines_of(report, finding)) lines.push_back("  " + line);
    if (report.unused) {
        lines.emplace_back(report.unused->empty() ? "callcensus: everything that it allows was used"
                                                  : "callcensus: it allows what this run did not use:");
        for (const UnusedAllowance& allowance : *report.unused)
            lines.push_back("  " + unused_line(report, allowance));
    }
    for (const std::string& gap : report.gaps) lines.push_back("callcensus: NOT everything was seen: " + gap);
    for (const std::string& note : report.notes) lines.push_back("callcensus: note: " + note);
    std::string text;
    for (const std::string& line : lines) text += printable(line) + "\n";
    return text;
}

std::string verify_json(const VerifyReport& report) {
    Json object{{"profile", report.file},
                {"mode", to_string(report.mode)},
                {"subject", report.subject},
                {"denials", denials_in(report)},
                {"duration_ms", report.duration.count()},
                {"processes", report.processes}};
    if (report.status && report.status->signal != 0) object["signal"] = report.status->signal;
    if (report.status && report.status->signal == 0) object["exit_code"] = report.status->code;
    object["findings"] = Json::array();
    for (const VerifyFinding& finding : report.findings) {
        const Denial& denial = finding.denial;
        Json entry{{"code", code_of(finding)},
                   {"call", name_or_number(denial.call)},
                   {"number", denial.call.number},
                   {"abi", info(denial.call.abi).id},
                   {"decision", decision_text(finding)},
                   {"action", denial.decision ? Json(token(denial.decision->action)) : Json()},
                   {"certain", denial.decision.has_value()},
                   {"decided_by", place_json(report.text, path_of(finding.reading))},
                   {"text", denial.text},
                   {"count", denial.count},
                   {"exact", denial.exact}};
        if (!denial.runtime.empty()) {
            entry["runtime"] = denial.runtime;
        } else {
            entry["executable"] = denial.executable;
            if (denial.process != 0) {
                entry["process"] = denial.process;
                if (denial.thread != 0) entry["thread"] = denial.thread;
                entry["first_ms"] = denial.first.count();
            }
        }
        if (denial.site) entry["site"] = site_json(*denial.site);
        if (!finding.stack.empty()) {
            entry["stack"] = sites_json(finding.stack);
        }
        entry["changes"] = finding.changes;
        entry["no_profile_can"] = finding.no_profile_can;
        object["findings"].push_back(std::move(entry));
    }
    if (report.unused) {
        object["unused"] = Json::array();
        for (const UnusedAllowance& allowance : *report.unused) {
            Json entry{{"rule", place_json(report.text, path_of_rule(allowance.rule))},
                       {"whole_rule", allowance.whole_rule},
                       {"perhaps", allowance.perhaps}};
            entry["calls"] = Json::array();
            for (const std::string& name : allowance.names)
                entry["calls"].push_back({{"name", name}, {"risk", id(risk_of(name).cls)}});
            object["unused"].push_back(std::move(entry));
        }
    }
    object["complete"] = report.gaps.empty();
    object["gaps"] = report.gaps;
    object["notes"] = report.notes;
    return json_text(object, 2) + "\n";
}

// As Jenkins, GitLab and others read it: there is no standard, but the common part of
// https://github.com/testmoapp/junitxml.
std::string verify_junit(const VerifyReport& report) {
    const std::size_t cases = std::max<std::size_t>(report.findings.size(), 1);
    const std::string suite = xml("callcensus verify " + report.file);
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    text += fmt::format("<testsuites name=\"callcensus\" tests=\"{}\" failures=\"{}\">\n", cases,
                        denials_in(report));
    text += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3f}\">\n", suite,
                        cases, denials_in(report), report.duration.count() / 1000);
    if (report.findings.empty())
        text += fmt::format("    <testcase classname=\"{}\" name=\"{}\"/>\n", suite, xml(headline(report)));
    for (const VerifyFinding& finding : report.findings) {
        const Denial& denial = finding.denial;
        const std::string name =
            identity(denial) + " by " + (denial.runtime.empty() ? denial.executable : denial.runtime);
        std::string details;
        for (const std::string& line : lines_of(report, finding)) details += xml(line) + "\n";
        text += fmt::format("    <testcase classname=\"{}\" name=\"{}\">\n", suite, xml(name));
        text += is_denial(denial) ? fmt::format("      <failure message=\"{}\">{}</failure>\n",
                                                xml(decision_text(finding)), details)
                                  : fmt::format("      <system-out>{}</system-out>\n", details);
        text += "    </testcase>\n";
    }
    return text + "  </testsuite>\n</testsuites>\n";
}

std::string verify_sarif(const VerifyReport& report) {
    const std::vector<SarifRule> rules{
        {std::string(denied_code), "a call that the program makes is denied", std::string(help)},
        {std::string(perhaps_denied_code), "a call that the program makes may be denied", std::string(help)},
        {std::string(runtime_code), "a call that the container runtime makes is denied", std::string(help)},
        {std::string(unused_code), "a call is allowed that the program has not made", std::string(help)}};
    std::vector<SarifResult> results;
    for (const VerifyFinding& finding : report.findings) {
        const Denial& denial = finding.denial;
        std::string message =
            fmt::format("{} by {}: {}", identity(denial),
                        denial.runtime.empty() ? denial.executable : denial.runtime, decision_text(finding));
        if (denial.site) message += "; made in " + text(*denial.site);
        if (!finding.changes.empty()) message += "; to allow it: " + listed(finding.changes);
        results.push_back({std::string(code_of(finding)),
                           is_denial(denial) ? Severity::error : Severity::warning, std::move(message),
                           report.file, place_in(report.text, path_of(finding.reading))});
    }
    if (report.unused)
        for (const UnusedAllowance& allowance : *report.unused)
            results.push_back({std::string(unused_code), Severity::note, unused_line(report, allowance),
                               report.file, place_in(report.text, path_of_rule(allowance.rule))});
    return write_sarif(rules, results);
}

}  // namespace callcensus
