#include "callcensus/show_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/errno_names.hpp"
#include "base/printable.hpp"
#include "callcensus/describe.hpp"
#include "format/json_text.hpp"
#include "model/uses.hpp"
#include "report/sites_json.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* called = "called";  // the group of what recordings have seen
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view plain = "\x1b[0m";

std::set<Abi> all_abis_of(const Profile& profile) {
    std::set<Abi> abis;
    const auto add = [&](const std::string& token) {
        if (const AbiInfo* row = find_abi_by_token(token)) abis.insert(row->abi);
    };
    for (const std::string& token : profile.architectures) add(token);
    for (const ArchitectureFamily& family : profile.arch_map) {
        add(family.architecture);
        for (const std::string& token : family.sub_architectures) add(token);
    }
    if (abis.empty()) abis.insert(native_abi());
    return abis;
}

std::string ids(const std::vector<Abi>& abis) {
    std::vector<std::string_view> list;
    for (const Abi abi : abis) list.push_back(info(abi).id);
    return fmt::format("{}", fmt::join(list, " "));
}

std::string count_text(const ShownCall& call) {
    if (call.count == 0) return "-";
    return (call.exact ? "" : ">=") + std::to_string(call.count);
}

std::string risk_text(const Risk& risk) {
    if (!is_risky(risk)) return {};
    std::string text(id(risk.cls));
    if (!risk.capability.empty()) text += fmt::format(" ({})", risk.capability);
    return text;
}

std::string users(const ShownCall& call) {
    std::vector<std::string> names;
    for (const Use& use : call.uses) {
        const std::string name = use.executable.substr(use.executable.rfind('/') + 1);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    constexpr std::size_t shown = 3;
    const std::size_t more = names.size() > shown ? names.size() - shown : 0;
    names.resize(names.size() - more);
    std::string text = fmt::format("{}", fmt::join(names, ", "));
    return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

std::string errors(const ShownCall& call) {
    std::vector<std::string> parts;
    for (const auto& [name, count] : call.errors) parts.push_back(fmt::format("{} {}", name, count));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string first_site(const ShownCall& call) {
    return call.sites.empty() ? std::string() : short_text(call.sites.front());
}

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, the last one open; empty columns are left out.
std::string table(const Row& titles, const std::vector<Row>& rows,
                  const std::vector<std::string_view>& colours, bool colour) {
    std::vector<std::size_t> widths(titles.size(), 0);
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    for (std::size_t i = 0; i < titles.size(); ++i)
        if (widths[i] != 0) widths[i] = std::max(widths[i], titles[i].size());
    const auto line = [&](const Row& row) {
        std::string text = " ";
        for (std::size_t i = 0; i < row.size(); ++i)
            if (widths[i] != 0) text += fmt::format(" {:<{}}", row[i], widths[i] + 1);
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    };
    std::string text = fmt::format("{}\n", line(titles));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool paint = colour && !colours[i].empty();
        text += fmt::format("{}{}{}\n", paint ? colours[i] : "", line(rows[i]), paint ? plain : "");
    }
    return text;
}

}  // namespace

std::vector<ShownCall> shown_calls(const Profile& profile) {
    std::vector<ShownCall> calls;
    const std::set<Abi> abis = all_abis_of(profile);
    for (const Rule& rule : profile.rules) {
        ShownCall shown;
        shown.group = describe(decision_of(rule));
        const Conditions& conditions = rule.args;
        if (!conditions.empty()) shown.condition = "if " + describe({&conditions, 1});
        if (const std::string context = describe(rule.includes, rule.excludes); !context.empty())
            shown.condition += (shown.condition.empty() ? "" : ", ") + context;
        shown.why = rule.comment;
        for (const std::string& name : names_of(rule)) {
            shown.call = name;
            shown.abis.clear();
            for (const Abi abi : abis)
                if (syscall_number(abi, name)) shown.abis.push_back(abi);
            shown.risk = risk_of(name);
            calls.push_back(shown);
        }
    }
    return calls;
}

std::vector<ShownCall> shown_calls(std::span<const Recording> recordings) {
    std::map<Syscall, ShownCall> calls;
    std::map<Syscall, Uses> uses;
    std::map<Syscall, std::map<int, std::uint64_t>> returned;
    const auto shown = [&](Syscall call) -> ShownCall& {
        const auto [place, is_new] = calls.try_emplace(call);
        ShownCall& entry = place->second;
        if (is_new) {
            entry.call = name_or_number(call);
            entry.abis = {call.abi};
            entry.risk = risk_of(entry.call);
            entry.group = "known beforehand and not looked for";
        }
        return entry;
    };
    for (const Recording& recording : recordings) {
        for (const CallRecord& record : recording.calls) {
            ShownCall& entry = shown(record.call);
            entry.group = called;
            entry.count += record.count;
            entry.exact = entry.exact && recording.exact_counts();
            uses[record.call].add(recording, record);
            for (const auto& [errnum, count] : record.returned)
                if (errnum != 0) returned[record.call][errnum] += count;
        }
        for (const Syscall call : recording.assumed) shown(call);
    }
    std::vector<ShownCall> list;
    for (auto& [call, entry] : calls) {
        entry.uses = uses[call].list();
        entry.sites = uses[call].sites();
        for (const auto& [errnum, count] : returned[call])
            entry.errors.emplace_back(errno_name(errnum), count);
        list.push_back(std::move(entry));
    }
    return list;
}

void sort(std::vector<ShownCall>& calls, ShowOrder order) {
    std::stable_sort(calls.begin(), calls.end(), [&](const ShownCall& a, const ShownCall& b) {
        if (order == ShowOrder::count && a.count != b.count) return a.count > b.count;
        if (order == ShowOrder::risk && a.risk.cls != b.risk.cls) return a.risk.cls > b.risk.cls;
        return std::tie(a.call, a.abis) < std::tie(b.call, b.abis);
    });
}

std::vector<std::string> headlines(const Profile& profile) {
    std::vector<std::string> lines;
    lines.push_back("by default a call is: " + describe(default_decision(profile)));
    std::vector<std::string> architectures = profile.architectures;
    for (const ArchitectureFamily& family : profile.arch_map)
        architectures.push_back(family.sub_architectures.empty()
                                    ? family.architecture
                                    : fmt::format("{} (with {})", family.architecture,
                                                  fmt::join(family.sub_architectures, ", ")));
    lines.push_back(architectures.empty() ? "architectures: the native one of the machine"
                                          : fmt::format("architectures: {}", fmt::join(architectures, ", ")));
    if (!profile.flags.empty()) lines.push_back(fmt::format("flags: {}", fmt::join(profile.flags, ", ")));
    return lines;
}

std::vector<std::string> headlines(std::span<const Recording> recordings) {
    std::vector<std::string> lines;
    constexpr std::size_t shown = 20;
    for (const Recording& recording : recordings.first(std::min(shown, recordings.size())))
        lines.push_back(
            fmt::format("{}: {:.3f} s, {} {}, engine {}, kernel {}; {}", fmt::join(recording.command, " "),
                        recording.duration.count() / 1000, recording.processes.size(),
                        recording.processes.size() == 1 ? "process" : "processes", recording.engine,
                        recording.host.kernel,
                        recording.complete() ? "complete" : "NOT complete: " + recording.gaps.front()));
    if (recordings.size() > shown)
        lines.push_back(fmt::format("and {} more recordings", recordings.size() - shown));
    return lines;
}

std::string show_text(const std::string& name, const std::vector<std::string>& headlines,
                      const std::vector<ShownCall>& calls, bool colour) {
    std::string text = fmt::format("{}{}{}\n", colour ? bold : "", printable(name), colour ? plain : "");
    for (const std::string& line : headlines) text += fmt::format("  {}\n", printable(line));

    // What is let through comes first, then in the order of appearance; the sorting within is the caller's.
    using Heading = std::pair<std::string, std::string>;  // what happens, and why
    std::vector<Heading> groups;
    std::set<Abi> all_abis;
    for (const ShownCall& call : calls) {
        const Heading heading{call.group, call.why};
        if (std::find(groups.begin(), groups.end(), heading) == groups.end()) groups.push_back(heading);
        all_abis.insert(call.abis.begin(), call.abis.end());
    }
    std::stable_partition(groups.begin(), groups.end(), [](const Heading& heading) {
        return heading.first.rfind("allowed", 0) == 0 || heading.first == called;
    });
    const bool several_abis = std::any_of(
        calls.begin(), calls.end(), [&](const ShownCall& call) { return call.abis != calls.front().abis; });
    const auto abis = [&](const ShownCall& call) -> std::string {
        if (!several_abis) return {};
        if (call.abis.empty()) return "none";
        return all_abis.size() > 1 && call.abis.size() == all_abis.size() ? "all" : ids(call.abis);
    };
    for (const Heading& heading : groups) {
        std::vector<Row> rows;
        std::vector<std::string_view> colours;
        for (const ShownCall& call : calls) {
            if (Heading{call.group, call.why} != heading) continue;
            Row row{call.call,        abis(call),           call.group == called ? count_text(call) : "",
                    errors(call),     risk_text(call.risk), users(call),
                    first_site(call), call.condition};
            for (std::string& cell : row) cell = printable(cell);
            rows.push_back(std::move(row));
            colours.push_back(call.risk.cls == RiskClass::dangerous ? red
                              : is_risky(call.risk)                 ? yellow
                                                                    : std::string_view());
        }
        text += fmt::format("\n{}{}{}{}: {}{}\n", colour ? bold : "", heading.first,
                            heading.second.empty() ? "" : ", ", printable(heading.second), rows.size(),
                            colour ? plain : "");
        text +=
            table({"CALL", "ABI", "TIMES", "ERRORS", "RISK", "BY", "AT", "CONDITION"}, rows, colours, colour);
    }
    return text;
}

std::string show_json(const std::string& name, const std::vector<std::string>& headlines,
                      const std::vector<ShownCall>& calls) {
    Json object;
    object["file"] = name;
    object["about"] = headlines;
    object["calls"] = Json::array();
    for (const ShownCall& call : calls) {
        Json entry;
        entry["call"] = call.call;
        entry["abis"] = Json::array();
        for (const Abi abi : call.abis) entry["abis"].push_back(info(abi).id);
        entry["decision"] = call.group;
        entry["condition"] = call.condition;
        entry["why"] = call.why;
        entry["count"] = call.count;
        entry["exact"] = call.exact;
        entry["errors"] = Json::object();
        for (const auto& [error, count] : call.errors) entry["errors"][error] = count;
        entry["uses"] = Json::array();
        for (const Use& use : call.uses)
            entry["uses"].push_back(
                {{"executable", use.executable}, {"count", use.count}, {"exact", use.exact}});
        entry["sites"] = sites_json(call.sites);
        entry["risk"] = {
            {"class", id(call.risk.cls)}, {"capability", call.risk.capability}, {"reason", call.risk.reason}};
        object["calls"].push_back(std::move(entry));
    }
    return json_text(object, 2);
}

}  // namespace callcensus
