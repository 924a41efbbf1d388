#include "callcensus/diff_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "callcensus/describe.hpp"
#include "format/json_text.hpp"
#include "report/sarif.hpp"
#include "report/sites_json.hpp"
#include "report/xml.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

struct KindText {
    ChangeKind kind;
    std::string_view of_profiles;
    std::string_view of_recordings;
};
constexpr std::array kinds{
    KindText{ChangeKind::allowed, "newly allowed", "newly called"},
    KindText{ChangeKind::loosened, "allowed for more arguments", "called with more arguments"},
    KindText{ChangeKind::altered, "allowed for other arguments", "called with other arguments"},
    KindText{ChangeKind::denied, "no longer allowed", "no longer called"},
    KindText{ChangeKind::tightened, "allowed for fewer arguments", "called with fewer arguments"},
    KindText{ChangeKind::redecided, "denied or logged otherwise", "called otherwise"}};

std::string_view title(ChangeKind kind, const Difference& difference) {
    const auto* row =
        std::find_if(kinds.begin(), kinds.end(), [&](const KindText& it) { return it.kind == kind; });
    return difference.of_recordings ? row->of_recordings : row->of_profiles;
}

std::string abis(const std::vector<Abi>& list) {
    std::vector<std::string_view> ids;
    for (const Abi abi : list) ids.push_back(info(abi).id);
    return fmt::format("{}", fmt::join(ids, ", "));
}

std::string text_of(const Use& use) {
    return fmt::format("{}, {}{} {}", use.executable, use.exact ? "" : "at least ", use.count,
                       use.count == 1 ? "time" : "times");
}

// "at libc.so.6 (read), ld-linux.so.2+0x20b74"; or empty
std::string places(const CallChange& change) {
    if (change.sites.empty()) return {};
    std::vector<std::string> texts;
    for (const CallSite& site : change.sites) texts.push_back(short_text(site));
    return fmt::format("at {}", fmt::join(texts, ", "));
}

// "dangerous: may load code into the kernel"
std::string text_of(const Risk& risk) {
    std::string text(id(risk.cls));
    if (!risk.capability.empty()) text += fmt::format(" ({})", risk.capability);
    if (!risk.reason.empty()) text += fmt::format(": {}", risk.reason);
    return text;
}

// What is not about one call.
std::vector<std::string> general_lines(const Difference& difference) {
    std::vector<std::string> lines;
    if (difference.otherwise)
        lines.push_back(fmt::format("calls that no rule names: {} -> {}",
                                    describe(difference.otherwise->first),
                                    describe(difference.otherwise->second)));
    if (!difference.abis_added.empty())
        lines.push_back("architectures added, whose calls were all killed: " + abis(difference.abis_added));
    if (!difference.risky_on_added.empty())
        lines.push_back(fmt::format("risky calls that are allowed there: {}",
                                    fmt::join(difference.risky_on_added, ", ")));
    if (!difference.abis_removed.empty())
        lines.push_back("architectures removed, whose calls are all killed: " +
                        abis(difference.abis_removed));
    if (difference.flags)
        lines.push_back(fmt::format("flags are now \"{}\"; they were \"{}\"", difference.flags->second,
                                    difference.flags->first));
    return lines;
}

std::string headline(const Difference& difference) {
    if (difference.empty())
        return difference.of_recordings ? "no difference in what is called" : "no difference in meaning";
    std::vector<std::string> parts;
    for (const KindText& row : kinds) {
        const auto count = std::count_if(difference.calls.begin(), difference.calls.end(),
                                         [&](const CallChange& change) { return change.kind == row.kind; });
        if (count != 0) parts.push_back(fmt::format("{} {}", count, title(row.kind, difference)));
    }
    if (parts.empty()) return "no difference for single calls";
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string before_and_after(const CallChange& change, const Difference& difference) {
    if (difference.of_recordings) return {};
    return fmt::format("{} -> {}", change.before, change.after);
}

std::string same_job(const CallChange& change) {
    if (change.same_job_as.empty()) return {};
    return fmt::format("same job as {}, known before: {}", change.same_job_as, change.same_job_reason);
}

// Why it matters, or may not.
std::string why(const CallChange& change) {
    std::string text(change.risk.reason);
    if (const std::string job = same_job(change); !job.empty()) text += (text.empty() ? "" : "; ") + job;
    return text;
}

// Everything about a change but the call's name, on one line.
std::string message(const CallChange& change, const Difference& difference) {
    std::string text =
        fmt::format("{} is {} on {}", change.call, title(change.kind, difference), abis(change.abis));
    if (!change.context.empty()) text += fmt::format(" ({})", change.context);
    if (const std::string how = before_and_after(change, difference); !how.empty())
        text += fmt::format(": {}", how);
    if (is_risky(change.risk)) text += fmt::format("; {}", text_of(change.risk));
    if (const std::string job = same_job(change); !job.empty()) text += fmt::format("; {}", job);
    if (!change.uses.empty()) text += fmt::format("; made by {}", text_of(change.uses.front()));
    if (change.uses.size() > 1) text += fmt::format(" and {} more", change.uses.size() - 1);
    if (const std::string at = places(change); !at.empty()) text += fmt::format("; {}", at);
    return text;
}

// A cell of a table: what comes from files must not end it.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : printable(text)) {
        if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<' || c == '[')
            escaped += '\\';
        escaped += c;
    }
    return escaped;
}

// A call's name as code, in a cell: there a backslash escapes only what would end the cell.
std::string code(const std::string& text) {
    std::string escaped;
    for (const char c : printable(text))
        if (c != '`') escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return "`" + escaped + "`";
}

Severity severity_of(const CallChange& change) {
    if (!gains(change)) return Severity::note;
    return is_risky(change.risk) ? Severity::error : Severity::warning;
}

}  // namespace

std::string diff_text(const DiffReport& report) {
    const Difference& difference = report.difference;
    std::string text =
        printable(fmt::format("{} -> {}: {}", report.before, report.after, headline(difference))) + "\n";
    const auto add = [&](std::string_view indent, const std::string& line) {
        text += fmt::format("{}{}\n", indent, printable(line));
    };
    for (const std::string& line : general_lines(difference)) add("  ", line);
    for (const KindText& row : kinds) {
        bool first = true;
        for (const CallChange& change : difference.calls) {
            if (change.kind != row.kind) continue;
            if (first) text += fmt::format("\n{}:\n", title(row.kind, difference));
            first = false;
            const char sign = gains(change) ? '+' : losses(change) ? '-' : '~';
            add("  ", fmt::format("{} {} ({}){}", sign, change.call, abis(change.abis),
                                  change.context.empty() ? "" : ", " + change.context));
            if (const std::string how = before_and_after(change, difference); !how.empty())
                add("      ", how);
            if (is_risky(change.risk)) add("      ", text_of(change.risk));
            if (const std::string job = same_job(change); !job.empty()) add("      ", job);
            for (const Use& use : change.uses) add("      ", "made by " + text_of(use));
            if (const std::string at = places(change); !at.empty()) add("      ", at);
        }
    }
    return text;
}

std::string diff_json(const DiffReport& report) {
    const Difference& difference = report.difference;
    const auto ids = [](const std::vector<Abi>& list) {
        Json array = Json::array();
        for (const Abi abi : list) array.push_back(info(abi).id);
        return array;
    };
    Json object;
    object["before"] = report.before;
    object["after"] = report.after;
    object["same"] = difference.empty();
    object["default"] = nullptr;
    if (difference.otherwise)
        object["default"] = {{"before", describe(difference.otherwise->first)},
                             {"after", describe(difference.otherwise->second)}};
    object["architectures"] = {{"added", ids(difference.abis_added)},
                               {"removed", ids(difference.abis_removed)},
                               {"risky_on_added", difference.risky_on_added}};
    object["flags"] = nullptr;
    if (difference.flags)
        object["flags"] = {{"before", difference.flags->first}, {"after", difference.flags->second}};
    object["calls"] = Json::array();
    for (const CallChange& change : difference.calls) {
        Json entry;
        entry["call"] = change.call;
        entry["change"] = id(change.kind);
        entry["abis"] = ids(change.abis);
        entry["context"] = change.context;
        entry["before"] = change.before;
        entry["after"] = change.after;
        entry["counts"] = report.counts(change);
        entry["risk"] = {{"class", id(change.risk.cls)},
                         {"capability", change.risk.capability},
                         {"reason", change.risk.reason}};
        entry["same_job_as"] = change.same_job_as.empty() ? Json(nullptr) : Json(change.same_job_as);
        entry["uses"] = Json::array();
        for (const Use& use : change.uses)
            entry["uses"].push_back(
                {{"executable", use.executable}, {"count", use.count}, {"exact", use.exact}});
        entry["sites"] = sites_json(change.sites);
        object["calls"].push_back(std::move(entry));
    }
    return json_text(object, 2) + "\n";
}

std::string diff_markdown(const DiffReport& report) {
    const Difference& difference = report.difference;
    std::string text = fmt::format("### System calls: {} → {}\n\n**{}**\n", cell(report.before),
                                   cell(report.after), headline(difference));
    for (const std::string& line : general_lines(difference)) text += fmt::format("\n* {}\n", cell(line));
    if (difference.calls.empty()) return text;
    const bool with_uses = std::any_of(difference.calls.begin(), difference.calls.end(),
                                       [](const CallChange& change) { return !change.uses.empty(); });
    const bool with_decisions = !difference.of_recordings;
    text += fmt::format("\n| call | change |{} risk | why it matters |{}\n",
                        with_decisions ? " before → after |" : "", with_uses ? " made by |" : "");
    text += fmt::format("|---|---|{}---|---|{}\n", with_decisions ? "---|" : "", with_uses ? "---|" : "");
    for (const CallChange& change : difference.calls) {
        std::vector<std::string> uses;
        for (const Use& use : change.uses) uses.push_back(text_of(use));
        if (std::string at = places(change); !at.empty()) uses.push_back(std::move(at));
        const bool dangerous = gains(change) && is_risky(change.risk);
        std::string risk(id(change.risk.cls));
        if (!change.risk.capability.empty()) risk += fmt::format(" ({})", change.risk.capability);
        text += fmt::format(
            "| {} ({}) | {}{} |{} {} | {} |{}\n", code(change.call), abis(change.abis),
            title(change.kind, difference), change.context.empty() ? "" : ", " + cell(change.context),
            with_decisions ? fmt::format(" {} → {} |", cell(change.before), cell(change.after)) : "",
            dangerous ? fmt::format("**{}**", cell(risk)) : cell(risk), cell(why(change)),
            with_uses ? fmt::format(" {} |", cell(fmt::format("{}", fmt::join(uses, "; ")))) : "");
    }
    return text;
}

std::string diff_sarif(const DiffReport& report) {
    const Difference& difference = report.difference;
    std::vector<SarifRule> rules;
    for (const KindText& row : kinds)
        rules.push_back({"diff-" + std::string(id(row.kind)),
                         fmt::format("A system call is {}", title(row.kind, difference)), ""});
    rules.push_back({"diff-general", "Something changed that concerns all calls", ""});
    std::vector<SarifResult> results;
    for (const std::string& line : general_lines(difference))
        results.push_back({"diff-general", Severity::warning, line, report.after, {}});
    for (const CallChange& change : difference.calls)
        results.push_back({"diff-" + std::string(id(change.kind)),
                           severity_of(change),
                           message(change, difference),
                           report.after,
                           {}});
    return write_sarif(rules, results);
}

std::string diff_junit(const DiffReport& report) {
    const Difference& difference = report.difference;
    std::string cases;
    std::size_t count = 0;
    std::size_t failures = 0;
    const auto add_case = [&](std::string_view kind, const std::string& name, const std::string& what,
                              bool fails) {
        ++count;
        failures += fails;
        cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\">\n      ", kind, xml(name));
        cases += fails ? fmt::format("<failure message=\"{}\"/>", xml(what))
                       : fmt::format("<system-out>{}</system-out>", xml(what));
        cases += "\n    </testcase>\n";
    };
    for (const CallChange& change : difference.calls)
        add_case(id(change.kind),
                 fmt::format("{} ({}){}", change.call, abis(change.abis),
                             change.context.empty() ? "" : " " + change.context),
                 message(change, difference), report.counts(change));
    std::string general;
    for (const std::string& line : general_lines(difference)) general += (general.empty() ? "" : "; ") + line;
    if (!general.empty()) {
        add_case("general", "all calls", general, report.general_counts);
    } else if (count == 0) {
        ++count;
        cases = fmt::format("    <testcase classname=\"diff\" name=\"{}\"/>\n", xml(headline(difference)));
    }
    const std::string name = xml(fmt::format("callcensus diff {} {}", report.before, report.after));
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" "
        "failures=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
        name, count, failures, cases);
}

}  // namespace callcensus
