// callcensus explain: what a profile does to one call, and why.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/explain.hpp"
#include "callcensus/explain_report.hpp"
#include "callcensus/format.hpp"
#include "cli/call_arguments.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

constexpr int not_allowed = 1;

struct ExplainCommandOptions {
    std::string profile;
    std::string call;
    std::vector<std::string> arguments;
    std::string abi;
    std::vector<std::string> readers;
    MachineOptions machine;
    bool json = false;
};

// All of them where none is named.
void keep_readers(std::vector<Reading>& readings, const std::vector<std::string>& named) {
    if (named.empty()) return;
    for (Reading& reading : readings)
        std::erase_if(reading.readers, [&](const std::string& reader) {
            return std::find(named.begin(), named.end(), reader) == named.end();
        });
    std::erase_if(readings, [](const Reading& reading) { return reading.readers.empty(); });
}

Result<int> explain_call(const ExplainCommandOptions& options) {
    const auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    const Abi native = native_abi_of(*machine).value();
    const auto file = read_profile_file(options.profile, native);
    if (!file) return tl::unexpected(file.error());

    std::set<Abi> abis = abis_of(file->profile, native);
    if (!options.abi.empty()) {
        const AbiInfo* chosen = find_abi(options.abi);
        if (chosen == nullptr) return fail("is no ABI; one is x86_64", "--abi " + options.abi);
        abis = {chosen->abi};
    }
    ExplainReport report{file->name, file->profile, file->places(), {}};
    std::optional<Error> unknown;
    bool allowed = true;
    for (const Abi abi : abis) {
        const auto call = find_call(abi, options.call);
        if (!call) {
            if (!unknown) unknown = call.error();
            continue;
        }
        const auto arguments = read_arguments(abi, syscall_name(*call), options.arguments);
        if (!arguments) return tl::unexpected(arguments.error());
        auto readings = explain(file->profile, *machine, abi, options.call, *arguments);
        if (!readings) return tl::unexpected(readings.error());
        keep_readers(*readings, options.readers);
        for (const Reading& reading : *readings)
            allowed = allowed && reading.decision && lets_through(reading.decision->action);
        report.explanations.push_back({*call, std::move(*readings)});
    }
    // Most calls are not on every ABI.
    if (report.explanations.empty()) return tl::unexpected(*unknown);
    const auto written = write_all(STDOUT_FILENO, options.json ? explain_json(report) : explain_text(report),
                                   "standard output");
    if (!written) return tl::unexpected(written.error());
    return allowed ? 0 : not_allowed;
}

}  // namespace

Subcommand add_explain(Program& program) {
    const auto options = std::make_shared<ExplainCommandOptions>();
    CommandLine sub = program.add("explain", "Say what a profile does to a call, and which rule does it");
    sub.usage("callcensus explain [OPTIONS] PROFILE CALL [ARG...]");
    sub.footer(
        "For every ABI of the profile that has the call, and for every runtime that reads the file otherwise.\n"
        "Exit status: 0 allowed everywhere, 1 not, or not with all arguments, 2 trouble.\n\n"
        "Examples:\n"
        "  callcensus explain seccomp.json clone              which rules decide, and by which arguments\n"
        "  callcensus explain seccomp.json socket 16 _ 9      with arg0 16 and arg2 9\n"
        "  callcensus explain seccomp.json clone 'CLONE_NEWUSER|CLONE_NEWNS'\n"
        "  callcensus explain seccomp.json -- openat -100     `--` before negative ones\n"
        "  callcensus explain --caps default,SYS_ADMIN docker.json mount");
    sub.value("PROFILE", "FILE", options->profile, "In any format that can be read; - is standard input")
        .required();
    sub.value("CALL", "CALL", options->call, "Its name, or its number").required();
    sub.value("ARG", "VALUE...", options->arguments,
              "Its arguments in order: numbers or the kernel's names for them, joined by |; _ for any");
    sub.value("--abi", "NAME", options->abi, "Only that one: x86_64, i386, x32, aarch64 and so on");
    sub.list("--for", "NAME,...", options->readers,
             "Who reads the profile: podman, docker, runc, crun, containerd (default: all)")
        .one_of({"podman", "docker", "runc", "crun", "containerd"});
    sub.flag("--json", options->json, "As JSON");
    options->machine.add_to(sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return explain_call(*options); }, trouble};
}

}  // namespace callcensus::cli
