#include "report/sarif.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "callcensus/version.hpp"
#include "format/json_text.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

// A URI reference (RFC 3986): what a path may hold and a reference may not is escaped.
std::string uri_of(const std::string& path) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string uri;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (plain.find(c) != std::string_view::npos)
            uri += c;
        else
            uri += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return uri;
}

}  // namespace

std::string write_sarif(const std::vector<SarifRule>& rules, const std::vector<SarifResult>& results) {
    Json driver{{"name", "callcensus"}, {"version", version}, {"rules", Json::array()}};
    for (const SarifRule& rule : rules) {
        Json object{{"id", rule.id}, {"shortDescription", {{"text", rule.title}}}};
        if (!rule.help.empty()) object["help"] = {{"text", rule.title + ": see " + rule.help}};
        driver["rules"].push_back(std::move(object));
    }
    Json list = Json::array();
    for (const SarifResult& result : results) {
        Json object{{"ruleId", result.rule_id},
                    {"level", to_string(result.severity)},
                    {"message", {{"text", result.message}}}};
        const auto rule = std::find_if(rules.begin(), rules.end(),
                                       [&](const SarifRule& each) { return each.id == result.rule_id; });
        if (rule != rules.end()) object["ruleIndex"] = rule - rules.begin();
        Json location{{"artifactLocation", {{"uri", uri_of(result.file)}}}};
        if (result.place.line != 0)
            location["region"] = {{"startLine", result.place.line}, {"startColumn", result.place.column}};
        object["locations"] = Json::array({{{"physicalLocation", std::move(location)}}});
        list.push_back(std::move(object));
    }
    Json run{{"tool", {{"driver", std::move(driver)}}}, {"results", std::move(list)}};
    const Json log{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Json::array({std::move(run)})}};
    return json_text(log, 2) + "\n";
}

}  // namespace callcensus
