#include "callcensus/lint_report.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "base/words.hpp"
#include "format/json_text.hpp"
#include "report/sarif.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

std::array<std::size_t, 3> count(const std::vector<LintedFile>& files) {
    std::array<std::size_t, 3> counts{};
    for (const LintedFile& file : files)
        for (const Finding& finding : file.findings) ++counts.at(static_cast<std::size_t>(finding.severity));
    return counts;
}

}  // namespace

std::string lint_text(const std::vector<LintedFile>& files) {
    std::string text;
    for (const LintedFile& file : files)
        for (const Finding& finding : file.findings)
            text += printable(fmt::format("{}:{}:{}: {}: {} [{}]", file.name, finding.place.line,
                                          finding.place.column, to_string(finding.severity), finding.message,
                                          finding.code)) +
                    "\n    " + printable(finding.fix) + "\n";
    const auto [notes, warnings, errors] = count(files);
    return text + fmt::format("{}: {}, {}, {}\n", counted(files.size(), "file"), counted(errors, "error"),
                              counted(warnings, "warning"), counted(notes, "note"));
}

std::string lint_json(const std::vector<LintedFile>& files) {
    const auto [notes, warnings, errors] = count(files);
    Json list = Json::array();
    for (const LintedFile& file : files)
        for (const Finding& finding : file.findings)
            list.push_back({{"file", file.name},
                            {"line", finding.place.line},
                            {"column", finding.place.column},
                            {"severity", to_string(finding.severity)},
                            {"code", finding.code},
                            {"message", finding.message},
                            {"fix", finding.fix}});
    const Json object{{"files", files.size()},
                      {"errors", errors},
                      {"warnings", warnings},
                      {"notes", notes},
                      {"findings", std::move(list)}};
    return json_text(object, 2) + "\n";
}

std::string lint_sarif(const std::vector<LintedFile>& files, const std::vector<LintCheck>& checks) {
    std::vector<SarifRule> rules;
    for (const LintCheck& check : checks)
        rules.push_back({std::string(check.code), std::string(check.title), "docs/lint.md"});
    std::vector<SarifResult> results;
    for (const LintedFile& file : files)
        for (const Finding& finding : file.findings)
            results.push_back({finding.code, finding.severity, finding.message + "; " + finding.fix,
                               file.name, finding.place});
    return write_sarif(rules, results);
}

}  // namespace callcensus
