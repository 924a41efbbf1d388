#include "report/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "format/json_text.hpp"

namespace callcensus {
namespace {

// Of calls without a name so many are told one by one.
constexpr std::size_t max_unnamed = 16;

std::string count_of(std::size_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::vector<std::string_view> abis_of(const Recording& recording) {
    std::set<Abi> abis;
    for (const CallRecord& record : recording.calls) abis.insert(record.call.abi);
    std::vector<std::string_view> ids;
    for (const Abi abi : abis) ids.push_back(info(abi).id);
    return ids;
}

// What became of the processes, under an engine that lets them run.
std::string engine_and_why(const Summary& summary) {
    const auto& processes = summary.recording.processes;
    const auto released = static_cast<std::size_t>(
        std::count_if(processes.begin(), processes.end(),
                      [](const ProcessRecord& one) { return one.scope != Scope::process; }));
    std::string text = summary.recording.engine;
    if (released != 0) text += fmt::format(" (released {} of them)", released);
    if (!summary.why_this_engine.empty()) text += " (not " + summary.why_this_engine + ")";
    return text;
}

}  // namespace

std::string describe(const UnnamedCall& call) {
    const std::string number = call.call.number == 0xffffffff ? "-1" : std::to_string(call.call.number);
    return fmt::format("call {} of {} ({}) has no name and is not in the profile: {}", number,
                       info(call.call.abi).id, count_of(call.count, "time", "times"),
                       call.exists ? "it is newer than callcensus and libseccomp know; a newer libseccomp may"
                                   : "the kernel does not have it either (ENOSYS)");
}

std::vector<std::string> advice(const Recording& recording) {
    std::vector<std::string> lines = recording.notes;
    for (const CallRecord& record : recording.calls) {
        const std::string name = syscall_name(record.call);
        if (name == "io_uring_setup")
            lines.emplace_back(
                "the target uses io_uring: what it asks for there are no system calls, is not recorded, and "
                "no seccomp profile can restrict it");
        if (name == "ptrace" && record.returned.count(EPERM) != 0)
            lines.emplace_back(
                "the target uses ptrace itself and was refused: a task has one tracer, and here that is "
                "callcensus");
        if (name == "uretprobe" || name == "uprobe")
            lines.push_back(
                name + " comes from a probe on this machine, not from the target: it need not be allowed");
    }
    return lines;
}

std::vector<std::string> warnings(const std::vector<ProfileReport>& profiles) {
    std::vector<std::string> lines;
    std::unordered_set<std::string> known;
    std::size_t unnamed = 0;
    for (const ProfileReport& profile : profiles) {
        for (const std::string& line : profile.derivation.warnings)
            if (known.insert(line).second) lines.push_back(line);
        for (const UnnamedCall& call : profile.derivation.unnamed) {
            std::string line = describe(call);
            if (known.insert(line).second && ++unnamed <= max_unnamed) lines.push_back(std::move(line));
        }
    }
    if (unnamed > max_unnamed)
        lines.push_back(
            fmt::format("{} more calls have no name and are not in the profile; a recording lists them",
                        unnamed - max_unnamed));
    return lines;
}

std::vector<std::string> summary_lines(const Summary& summary) {
    const Recording& recording = summary.recording;
    std::vector<std::string> lines;
    lines.push_back(fmt::format(
        "{} on {}, {}, {:.3f} s, engine {}; {}",
        count_of(recording.calls.size(), "system call", "different system calls"),
        fmt::join(abis_of(recording), " and "), count_of(recording.processes.size(), "process", "processes"),
        recording.duration.count() / 1000, engine_and_why(summary),
        recording.complete() ? "the recording is complete" : "the recording is NOT complete:"));
    for (const std::string& gap : recording.gaps) lines.push_back("  " + gap);
    if (summary.let_go != 0)
        lines.push_back(count_of(summary.let_go, "task lives", "tasks live") + " on without callcensus");
    else if (summary.survivors != 0)
        lines.push_back(count_of(summary.survivors, "process", "processes") + " outlived the first one and " +
                        (summary.survivors == 1 ? "was" : "were") + " followed to the end");
    if (!recording.assumed.empty())
        lines.push_back(count_of(recording.assumed.size(), "call that was", "calls that were") +
                        " known beforehand and not looked for");
    for (const std::string& line : advice(recording)) lines.push_back("note: " + line);
    for (const std::string& line : warnings(summary.profiles)) lines.push_back("warning: " + line);
    if (!summary.recording_path.empty()) lines.push_back("recording written to " + summary.recording_path);
    for (const ProfileReport& profile : summary.profiles) {
        if (!profile.written) continue;
        std::size_t names = 0;
        for (const Rule& rule : profile.derivation.profile.rules)
            if (rule.action == Action::allow) names += names_of(rule).size();
        lines.push_back(fmt::format("profile{} written to {}: it allows {}, {} of them observed",
                                    profile.executable.empty() ? "" : " of " + profile.executable,
                                    profile.path, count_of(names, "name", "names"),
                                    profile.derivation.observed));
    }
    return lines;
}

std::string summary_json(const Summary& summary) {
    using Json = nlohmann::ordered_json;
    const Recording& recording = summary.recording;
    const auto path = [](const std::string& name) { return name.empty() ? Json(nullptr) : Json(name); };
    Json object;
    object["calls"] = recording.calls.size();
    object["abis"] = abis_of(recording);
    object["processes"] = recording.processes.size();
    object["duration_ms"] = recording.duration.count();
    object["engine"] = recording.engine;
    object["why_this_engine"] = path(summary.why_this_engine);
    object["counts"] = recording.exact_counts() ? "exact" : "at least";
    object["assumed"] = recording.assumed.size();
    object["complete"] = recording.complete();
    object["gaps"] = recording.gaps;
    object["notes"] = advice(recording);
    object["survivors"] = summary.survivors;
    object["let_go"] = summary.let_go;
    object["recording"] = path(summary.recording_path);
    object["profiles"] = Json::array();
    for (const ProfileReport& profile : summary.profiles) {
        Json report;
        report["path"] = path(profile.written ? profile.path : "");
        report["executable"] = path(profile.executable);
        report["observed"] = profile.derivation.observed;
        report["warnings"] = profile.derivation.warnings;
        report["unnamed"] = Json::array();
        for (const UnnamedCall& call : profile.derivation.unnamed)
            report["unnamed"].push_back({{"abi", info(call.call.abi).id},
                                         {"number", call.call.number},
                                         {"count", call.count},
                                         {"exists", call.exists}});
        object["profiles"].push_back(std::move(report));
    }
    if (recording.status && recording.status->signal != 0)
        object["signal"] = recording.status->signal;
    else if (recording.status)
        object["exit_code"] = recording.status->code;
    return json_text(object);
}

}  // namespace callcensus
