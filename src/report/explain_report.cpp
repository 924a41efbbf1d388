#include "callcensus/explain_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "base/words.hpp"
#include "callcensus/describe.hpp"
#include "format/json_text.hpp"
#include "report/profile_place.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

std::string described(const Reading& reading) {
    if (!reading.covered) return describe(*reading.decision) + ": the profile is not for this ABI";
    return reading.decision ? describe(*reading.decision) : describe(reading.meaning);
}

std::string described(const Reason& reason, const Rule& rule) {
    std::string text = describe(reason.decision);
    if (!reason.conditions.empty())
        text += " if " + describe(conditions_of(set_of(reason.conditions, ArgumentWidth::bits64),
                                                ArgumentWidth::bits64));
    const std::string context = describe(rule.includes, rule.excludes);
    if (!context.empty()) text += ", " + context;
    if (!rule.comment.empty()) text += " (" + rule.comment + ")";
    return text;
}

// What comes from files must not begin a line of its own.
std::string line(const std::string& text) { return printable(text) + "\n"; }

std::string lines_of(const ExplainReport& report, const Reading& reading) {
    std::string text;
    for (const Reason& reason : reading.reasons)
        text += line("  " + where(report.file, report.text, path_of_rule(reason.rule)) + ": " +
                     described(reason, report.profile.rules[reason.rule]));
    if (reading.covered && reading.default_decides)
        text += line("  " + where(report.file, report.text, "defaultAction") + ": " +
                     describe(default_decision(report.profile)));
    return text;
}

}  // namespace

std::string explain_text(const ExplainReport& report) {
    std::string text;
    for (const auto& [call, readings] : report.explanations)
        for (const Reading& reading : readings) {
            const bool others = &reading != &readings.front();
            text += line((others ? listed(reading.readers, reading.readers.size())
                                 : fmt::format("{} on {}", name_or_number(call), info(call.abi).id)) +
                         ": " + described(reading)) +
                    lines_of(report, reading);
        }
    return text;
}

std::string explain_json(const ExplainReport& report) {
    Json list = Json::array();
    for (const auto& [call, readings] : report.explanations) {
        Json entry{{"call", name_or_number(call)}, {"number", call.number}, {"abi", info(call.abi).id}};
        entry["readings"] = Json::array();
        for (const Reading& reading : readings) {
            Json one{{"readers", reading.readers},
                     {"decision", described(reading)},
                     {"allowed", reading.decision ? Json(lets_through(reading.decision->action)) : Json()}};
            one["rules"] = Json::array();
            for (const Reason& reason : reading.reasons) {
                Json rule = place_json(report.text, path_of_rule(reason.rule));
                rule["says"] = described(reason, report.profile.rules[reason.rule]);
                one["rules"].push_back(std::move(rule));
            }
            if (reading.covered && reading.default_decides)
                one["default"] = place_json(report.text, "defaultAction");
            entry["readings"].push_back(std::move(one));
        }
        list.push_back(std::move(entry));
    }
    const Json object{{"file", report.file}, {"calls", std::move(list)}};
    return json_text(object, 2) + "\n";
}

}  // namespace callcensus
