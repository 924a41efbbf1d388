// The recording's own JSON, version 1. docs/recording.schema.json describes it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/errno_names.hpp"
#include "callcensus/format.hpp"
#include "format/json_decoder.hpp"
#include "format/json_text.hpp"
#include "format/time_text.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_name = "callcensus-recording";
constexpr std::string_view format_name_of_several = "callcensus-recordings";
constexpr int version = 1;

// Of whom the calls of a process are known, in the order of Scope.
constexpr std::array<std::string_view, 3> scopes{"process", "executable", "tree"};

// ---- writing ----

void write_status(Json& object, const std::optional<ExitStatus>& status) {
    if (!status) return;
    if (status->signal != 0)
        object["signal"] = status->signal;
    else
        object["exit_code"] = status->code;
}

Json write_process(const ProcessRecord& process) {
    Json object;
    object["pid"] = process.pid;
    object["parent"] = process.parent ? Json(*process.parent) : Json(nullptr);
    object["started_ms"] = rounded(process.started);
    object["executables"] = process.executables;
    object["threads"] = process.threads;
    object["scope"] = scopes[static_cast<std::size_t>(process.scope)];
    write_status(object, process.status);
    return object;
}

Json write_identity(Syscall call) {
    Json object;
    object["abi"] = info(call.abi).id;
    object["number"] = call.number;
    const std::string name = syscall_name(call);
    if (!name.empty()) object["name"] = name;
    return object;
}

// The modules of all sites, each once.
class ModuleTable {
  public:
    explicit ModuleTable(const Recording& recording) {
        for (const CallRecord& record : recording.calls)
            for (const CallSite& site : record.sites)
                if (indexes_.try_emplace({site.module, site.build_id}, indexes_.size()).second)
                    json_.push_back({{"path", site.module}, {"build_id", site.build_id}});
    }
    [[nodiscard]] const Json& json() const { return json_; }
    [[nodiscard]] std::size_t index(const CallSite& site) const {
        return indexes_.at({site.module, site.build_id});
    }

  private:
    std::map<std::pair<std::string, std::string>, std::size_t> indexes_;
    Json json_ = Json::array();
};

Json write_site(const CallSite& site, const ModuleTable& modules) {
    Json object;
    object["module"] = modules.index(site);
    object["offset"] = site.offset;
    if (!site.symbol.empty()) {
        object["symbol"] = site.symbol;
        object["symbol_offset"] = site.symbol_offset;
    }
    return object;
}

Json write_call(const CallRecord& record, bool exact, const ModuleTable& modules) {
    Json object = write_identity(record.call);
    object["count"] = record.count;
    object["first"] = {{"ms", rounded(record.first.at)},
                       {"process", record.first.process},
                       {"executable", record.first.executable}};
    object["returned"] = Json::object();
    for (const auto& [errnum, times] : record.returned)
        object["returned"][errnum == 0 ? "ok" : errno_name(errnum)] = times;
    if (exact) object["unfinished"] = record.unfinished();
    object["executables"] = Json::array();
    for (const auto& [executable, times] : record.by_executable)
        object["executables"].push_back({{"executable", executable}, {"count", times}});
    object["sites"] = Json::array();
    for (const CallSite& site : record.sites) object["sites"].push_back(write_site(site, modules));
    return object;
}

// ---- reading ----

std::optional<ExitStatus> read_status(Fields& fields) {
    if (const auto signal = fields.whole<int>("signal")) return ExitStatus{0, *signal};
    if (const auto code = fields.whole<int>("exit_code")) return ExitStatus{*code, 0};
    return std::nullopt;
}

// Indexes must point into the lists that they are about: everything after the reader relies on it.
void check_index(Fields& fields, const Placed& at, std::size_t index, std::size_t size) {
    if (index >= size) fields.complain(at, fmt::format("is {}, but there are only {}", index, size));
}

std::vector<ExecutableIndex> read_chain(Fields& fields, std::size_t executables) {
    std::vector<ExecutableIndex> chain;
    for (const Placed& element : fields.list("executables")) {
        const auto& value = element.node->scalar;
        if (!value.is_number_unsigned()) {
            fields.complain(element, "must be a whole number");
            break;
        }
        check_index(fields, element, value.get<std::size_t>(), executables);
        chain.push_back(value.get<ExecutableIndex>());
    }
    return chain;
}

ProcessRecord read_process(Decoder& decoder, const Placed& at, const Recording& recording) {
    Fields fields(decoder, at);
    ProcessRecord process;
    process.pid = fields.required_whole<pid_t>("pid");
    process.parent = fields.whole<ProcessIndex>("parent");
    if (process.parent)
        check_index(fields, at, *process.parent, recording.processes.size());  // parents come first
    process.started = Milliseconds(fields.real("started_ms").value_or(0));
    process.executables = read_chain(fields, recording.executables.size());
    process.threads = fields.whole<std::uint32_t>("threads").value_or(1);
    process.status = read_status(fields);
    if (const auto text = fields.text("scope")) {
        const auto scope = std::find(scopes.begin(), scopes.end(), *text);
        if (scope == scopes.end())
            fields.complain(fields.required("scope"), "must be process, executable or tree");
        else
            process.scope = static_cast<Scope>(scope - scopes.begin());
    }
    return process;
}

Syscall read_identity(Fields& fields) {
    Syscall call{};
    const Placed abi_at = fields.required("abi");
    const std::string abi = fields.text("abi").value_or("");
    if (const AbiInfo* row = find_abi(abi))
        call.abi = row->abi;
    else
        fields.complain(abi_at, "is an unknown ABI \"" + abi + "\"");
    call.number = fields.required_whole<std::uint32_t>("number");
    return call;
}

// As they stand in the file: a path and a build-id each.
using Modules = std::vector<std::pair<std::string, std::string>>;

Modules read_modules(Decoder& decoder, Fields& fields) {
    Modules modules;
    for (const Placed& element : fields.list("modules")) {
        Fields module(decoder, element);
        std::string path = module.required_text("path");
        modules.emplace_back(std::move(path), module.text("build_id").value_or(""));
    }
    return modules;
}

CallSite read_site(Decoder& decoder, const Placed& at, const Modules& modules) {
    Fields fields(decoder, at);
    CallSite site;
    const auto module = fields.required_whole<std::uint32_t>("module");
    check_index(fields, at, module, modules.size());
    if (module < modules.size()) std::tie(site.module, site.build_id) = modules[module];
    site.offset = fields.required_whole<std::uint64_t>("offset");
    site.symbol = fields.text("symbol").value_or("");
    site.symbol_offset = fields.whole<std::uint64_t>("symbol_offset").value_or(0);
    return site;
}

CallRecord read_call(Decoder& decoder, const Placed& at, const Recording& recording, const Modules& modules) {
    Fields fields(decoder, at);
    CallRecord record;
    record.call = read_identity(fields);
    record.count = fields.required_whole<std::uint64_t>("count");
    Fields first(decoder, fields.required("first"));
    record.first.at = Milliseconds(first.real("ms").value_or(0));
    record.first.process = first.required_whole<ProcessIndex>("process");
    record.first.executable = first.required_whole<ExecutableIndex>("executable");
    if (!decoder.failed()) {
        check_index(fields, at, record.first.process, recording.processes.size());
        check_index(fields, at, record.first.executable, recording.executables.size());
    }
    if (const auto returned = fields.find("returned")) {
        Fields results(decoder, *returned);
        for (const auto& [name, times] : returned->node->members) {
            const auto errnum = name == "ok" ? std::optional(0) : errno_from_name(name);
            if (!errnum) fields.complain(*returned, "has an unknown errno \"" + name + "\"");
            record.returned[errnum.value_or(0)] += results.whole<std::uint64_t>(name).value_or(0);
        }
    }
    for (const Placed& element : fields.list("executables")) {
        Fields share(decoder, element);
        const auto executable = share.required_whole<ExecutableIndex>("executable");
        check_index(fields, element, executable, recording.executables.size());
        record.by_executable[executable] += share.required_whole<std::uint64_t>("count");
    }
    for (const Placed& element : fields.list("sites"))
        record.sites.push_back(read_site(decoder, element, modules));
    return record;
}

Json write_one(const Recording& recording) {
    Json object;
    object["format"] = format_name;
    object["version"] = version;
    object["generator"] = recording.generator;
    object["engine"] = recording.engine;
    object["counts"] = recording.exact_counts() ? "exact" : "at least";
    object["host"] = {{"kernel", recording.host.kernel}, {"machine", recording.host.machine}};
    object["command"] = recording.command;
    object["started"] = write_time(recording.started);
    object["duration_ms"] = rounded(recording.duration);
    object["complete"] = recording.complete();
    object["gaps"] = recording.gaps;
    object["notes"] = recording.notes;
    write_status(object, recording.status);
    object["executables"] = recording.executables;
    const ModuleTable modules(recording);
    object["modules"] = modules.json();
    object["processes"] = Json::array();
    for (const ProcessRecord& process : recording.processes)
        object["processes"].push_back(write_process(process));
    object["calls"] = Json::array();
    for (const CallRecord& record : recording.calls)
        object["calls"].push_back(write_call(record, recording.exact_counts(), modules));
    object["assumed"] = Json::array();
    for (const Syscall call : recording.assumed) object["assumed"].push_back(write_identity(call));
    return object;
}

std::string text_of(const Json& object) { return json_text(object, 1) + "\n"; }

void check_version(Fields& fields) {
    const Placed version_at = fields.required("version");
    if (fields.whole<int>("version") != version)
        fields.complain(version_at, fmt::format("is not {}, the only one this callcensus reads", version));
}

Recording read_one(Decoder& decoder, const Placed& top) {
    Fields fields(decoder, top);
    if (fields.text("format") != format_name && !decoder.failed())
        decoder.complain(*top.node,
                         "is not a callcensus recording (no \"format\": \"callcensus-recording\")");
    check_version(fields);
    Recording recording;
    recording.generator = fields.text("generator").value_or("");
    recording.engine = fields.text("engine").value_or("");
    if (const auto at = fields.find("host")) {
        Fields host(decoder, *at);
        recording.host = {host.text("kernel").value_or(""), host.text("machine").value_or("")};
    }
    recording.command = fields.texts("command");
    if (const auto started = fields.text("started")) {
        const auto time = read_time(*started);
        if (!time)
            fields.complain(
                fields.required("started"),
                "must look like 2026-11-22T01:46:00.123Z, and lie between 1677-09-21 and 2262-04-11");
        recording.started = time.value_or(std::chrono::system_clock::time_point());
    }
    recording.duration = Milliseconds(fields.real("duration_ms").value_or(0));
    recording.gaps = fields.texts("gaps");
    if (recording.gaps.empty() && !fields.boolean("complete").value_or(true))
        recording.gaps.emplace_back("not complete, for a reason that the file does not tell");
    recording.notes = fields.texts("notes");
    recording.status = read_status(fields);
    recording.executables = fields.texts("executables");
    for (const Placed& process : fields.list("processes"))
        recording.processes.push_back(read_process(decoder, process, recording));
    const Modules modules = read_modules(decoder, fields);
    for (const Placed& call : fields.list("calls"))
        recording.calls.push_back(read_call(decoder, call, recording, modules));
    for (const Placed& call : fields.list("assumed")) {
        Fields identity(decoder, call);
        recording.assumed.push_back(read_identity(identity));
    }
    return recording;
}

}  // namespace

std::string write_recording(const Recording& recording) { return text_of(write_one(recording)); }

std::string write_recordings(std::span<const Recording> recordings) {
    if (recordings.size() == 1) return write_recording(recordings.front());
    Json object;
    object["format"] = format_name_of_several;
    object["version"] = version;
    object["recordings"] = Json::array();
    for (const Recording& recording : recordings) object["recordings"].push_back(write_one(recording));
    return text_of(object);
}

Result<Recording> parse_recording(std::string_view text, const std::string& source) {
    auto recordings = parse_recordings(text, source);
    if (!recordings) return tl::unexpected(recordings.error());
    if (recordings->size() != 1)
        return fail(fmt::format("holds {} recordings, and not one", recordings->size()), source);
    return std::move(recordings->front());
}

Result<std::vector<Recording>> parse_recordings(std::string_view text, const std::string& source) {
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    Decoder decoder(text, source);
    const Placed top{&*root, ""};
    std::vector<Recording> recordings;
    Fields fields(decoder, top);
    if (!decoder.failed() && fields.text("format") == format_name_of_several) {
        check_version(fields);
        for (const Placed& one : fields.list("recordings")) recordings.push_back(read_one(decoder, one));
    } else {
        recordings.push_back(read_one(decoder, top));
    }
    if (decoder.failed()) return decoder.error();
    return recordings;
}

}  // namespace callcensus
