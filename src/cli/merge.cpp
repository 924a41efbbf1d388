// callcensus merge: the union, intersection or difference of profiles or of recordings.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "callcensus/merge.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

struct MergeCommandOptions {
    std::vector<std::string> inputs;
    std::string output = "-";
    bool intersect = false;
    bool subtract = false;
    bool quiet = false;
    FormatOptions format;
    MachineOptions machine;

    [[nodiscard]] MergeKind kind() const {
        return intersect ? MergeKind::intersect : subtract ? MergeKind::subtract : MergeKind::unite;
    }
};

int write(const MergeCommandOptions& options, const std::string& content) {
    const auto written = replace_file(options.output, content);
    return written ? 0 : complain(written.error());
}

int merge_files(const MergeCommandOptions& options) {
    const auto machine = options.machine.resolve();
    if (!machine) return complain(machine.error());
    if (const auto readable = check_inputs(options.inputs); !readable) return complain(readable.error());
    if (const auto possible = check_replaceable(options.output); !possible) return complain(possible.error());

    std::vector<NamedProfile> profiles;
    std::vector<std::vector<Recording>> recordings;
    for (const std::string& path : options.inputs) {
        auto inputs = read_inputs(path, native_abi_of(*machine).value());
        if (!inputs) return complain(inputs.error());
        for (auto& [name, input] : *inputs) {
            if (auto* profile = std::get_if<Profile>(&input)) {
                profiles.push_back({name, std::move(*profile)});
            } else {
                recordings.push_back(std::move(std::get<std::vector<Recording>>(input)));
            }
        }
        if (!profiles.empty() && !recordings.empty())
            return complain(
                {"cannot be merged with what comes before it: a recording with a profile; make a "
                 "profile of the recording first (callcensus derive)",
                 input_name(path), 0});
    }
    if (!recordings.empty() && options.format.format != "oci")
        return complain(
            {"is for profiles, and recordings were given; callcensus derive makes a profile of them",
             "--format " + options.format.format, 0});
    if (!recordings.empty())
        return write(options, write_recordings(merge(std::move(recordings), options.kind())));
    const auto merged = merge(profiles, options.kind(), *machine);
    if (!merged) return complain(merged.error());
    const auto written = options.format.write(merged->profile, "", options.output, *machine);
    if (!written) return complain(written.error());
    if (!options.quiet) {
        for (const std::string& line : merged->warnings) say("warning: " + line);
        for (const std::string& loss : written->losses) warn_of_loss(options.format, loss);
    }
    return write(options, written->content);
}

}  // namespace

Subcommand add_merge(CLI::App& app) {
    const auto options = std::make_shared<MergeCommandOptions>();
    CLI::App* sub = app.add_subcommand("merge", "Unite, intersect or subtract profiles, or recordings");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus merge [OPTIONS] FILE..."));
    sub->footer(
        "The result allows exactly what any (all, only the first) of the profiles allows; where that cannot\n"
        "be said in a profile, a warning names the call.\n\n"
        "Example:\n"
        "  callcensus merge web.json worker.json -o all.json");
    sub->add_option("FILE", options->inputs, "Profiles, or recordings; - is standard input")
        ->required()
        ->option_text("FILE");
    sub->add_option("-o,--output", options->output, "The result (default: standard output)")
        ->option_text("FILE");
    auto* intersect =
        sub->add_flag("--intersect", options->intersect, "What all of them allow, or have recorded");
    sub->add_flag("--subtract", options->subtract, "What the first one allows and no other one does")
        ->excludes(intersect);
    options->format.add_to(*sub, "--format", "Format");
    sub->add_flag("-q,--quiet", options->quiet, "No warnings");
    options->machine.add_to(*sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return merge_files(*options); }};
}

}  // namespace callcensus::cli
