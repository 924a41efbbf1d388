// callcensus convert: a profile in another format.
#include <memory>

#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

struct ConvertOptions {
    std::string profile;
    std::string output = "-";
    bool quiet = false;
    FormatOptions format;
    MachineOptions machine;
};

Result<int> convert(const ConvertOptions& options) {
    if (auto possible = check_replaceable(options.output); !possible) return tl::unexpected(possible.error());
    const auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    const std::string source = input_name(options.profile);
    const auto input = read_input(options.profile, native_abi_of(*machine).value());
    if (!input) return tl::unexpected(input.error());
    const auto* profile = std::get_if<Profile>(&*input);
    if (profile == nullptr)
        return fail("is a recording; `callcensus derive --format` makes a profile of it", source);
    const auto written = options.format.write(*profile, source, options.output, *machine);
    if (!written) return tl::unexpected(written.error());
    if (const auto done = replace_file(options.output, written->content); !done)
        return tl::unexpected(done.error());
    if (!options.quiet)
        for (const std::string& loss : written->losses) warn_of_loss(options.format, loss);
    return 0;
}

}  // namespace

Subcommand add_convert(Program& program) {
    const auto options = std::make_shared<ConvertOptions>();
    CommandLine sub = program.add("convert", "Write a profile in another format");
    sub.usage("callcensus convert [OPTIONS] PROFILE --to FORMAT");
    sub.footer(
        "Reads oci, docker, spo, systemd and minijail; of several profiles in a manifest FILE#NAME.\n"
        "What the other format cannot say is an error, or with --lossy a warning and left out: what is\n"
        "written never allows more than PROFILE. docs/formats.md says what each can hold.\n\n"
        "Examples:\n"
        "  callcensus convert seccomp.json --to spo -o profile.yaml\n"
        "  callcensus convert --to systemd --lossy seccomp.json -o /etc/systemd/system/x.service.d/calls.conf");
    sub.value("PROFILE", "FILE", options->profile, "In any format that can be read; - is standard input")
        .required();
    options->format.add_to(sub, "--to", "Options").required();
    sub.value("-o,--output", "FILE", options->output, "The file to write (default: standard output)");
    sub.flag("-q,--quiet", options->quiet, "No warnings");
    options->machine.add_to(sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return convert(*options); }};
}

}  // namespace callcensus::cli
