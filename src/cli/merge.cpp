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

Result<int> write(const MergeCommandOptions& options, const std::string& content) {
    return replace_file(options.output, content).map([] { return 0; });
}

Result<int> merge_files(const MergeCommandOptions& options) {
    const auto machine = options.machine.resolve();
    if (!machine) return tl::unexpected(machine.error());
    if (const auto readable = check_inputs(options.inputs); !readable)
        return tl::unexpected(readable.error());
    if (const auto possible = check_replaceable(options.output); !possible)
        return tl::unexpected(possible.error());

    std::vector<NamedProfile> profiles;
    std::vector<std::vector<Recording>> recordings;
    for (const std::string& path : options.inputs) {
        auto inputs = read_inputs(path, native_abi_of(*machine).value());
        if (!inputs) return tl::unexpected(inputs.error());
        for (auto& [name, input] : *inputs) {
            if (auto* profile = std::get_if<Profile>(&input)) {
                profiles.push_back({name, std::move(*profile)});
            } else {
                recordings.push_back(std::move(std::get<std::vector<Recording>>(input)));
            }
        }
        if (!profiles.empty() && !recordings.empty())
            return fail(
                "cannot be merged with what comes before it: a recording with a profile; make a "
                "profile of the recording first (callcensus derive)",
                input_name(path));
    }
    if (!recordings.empty() && options.format.format != "oci")
        return fail("is for profiles, and recordings were given; callcensus derive makes a profile of them",
                    "--format " + options.format.format);
    if (!recordings.empty())
        return write(options, write_recordings(merge(std::move(recordings), options.kind())));
    const auto merged = merge(profiles, options.kind(), *machine);
    if (!merged) return tl::unexpected(merged.error());
    const auto written = options.format.write(merged->profile, "", options.output, *machine);
    if (!written) return tl::unexpected(written.error());
    if (!options.quiet) {
        for (const std::string& line : merged->warnings) say("warning: " + line);
        for (const std::string& loss : written->losses) warn_of_loss(options.format, loss);
    }
    return write(options, written->content);
}

}  // namespace

Subcommand add_merge(Program& program) {
    const auto options = std::make_shared<MergeCommandOptions>();
    CommandLine sub = program.add("merge", "Unite, intersect or subtract profiles, or recordings");
    sub.usage("callcensus merge [OPTIONS] FILE...");
    sub.footer(
        "The result allows exactly what any (all, only the first) of the profiles allows; where that cannot\n"
        "be said in a profile, a warning names the call.\n\n"
        "Example:\n"
        "  callcensus merge web.json worker.json -o all.json");
    sub.value("FILE", "FILE", options->inputs, "Profiles, or recordings; - is standard input").required();
    sub.value("-o,--output", "FILE", options->output, "The result (default: standard output)");
    const Option intersect =
        sub.flag("--intersect", options->intersect, "What all of them allow, or have recorded");
    sub.flag("--subtract", options->subtract, "What the first one allows and no other one does")
        .excludes(intersect);
    sub.flag("-q,--quiet", options->quiet, "No warnings");
    options->format.add_to(sub, "--format", "Format");
    options->machine.add_to(sub);
    return {sub, TargetBegins::never,
            [options](const std::vector<std::string>&) { return merge_files(*options); }};
}

}  // namespace callcensus::cli
