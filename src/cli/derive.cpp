// callcensus derive: the profile of recordings made before, without running anything.
#include <fmt/format.h>
#include <memory>

#include "base/file.hpp"
#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "cli/format_options.hpp"
#include "cli/inputs.hpp"
#include "cli/messages.hpp"
#include "cli/policy_options.hpp"
#include "cli/profiles.hpp"
#include "cli/subcommand.hpp"
#include "format/limits.hpp"
#include "report/summary.hpp"

namespace callcensus::cli {
namespace {

struct DeriveCommandOptions {
    std::vector<std::string> recordings;
    std::string output;
    bool quiet = false;
    FormatOptions format;
    PolicyOptions policy;
};

Result<int> derive_profile(const DeriveCommandOptions& options) {
    const auto derive_options = options.policy.resolve();
    if (!derive_options) return tl::unexpected(derive_options.error());
    if (auto possible = check_replaceable(options.output); !possible) return tl::unexpected(possible.error());
    if (auto possible = options.policy.check_output(options.output); !possible)
        return tl::unexpected(possible.error());
    std::vector<Recording> recordings;
    for (const std::string& path : options.recordings) {
        const auto text = read_file(path, largest_recording);
        if (!text) return tl::unexpected(text.error());
        auto in_file = parse_recordings(*text, input_name(path));
        if (!in_file) return tl::unexpected(in_file.error());
        for (const Recording& recording : *in_file)
            if (!recording.complete() && !options.quiet)
                say("warning: " + path + " is not complete: " + recording.gaps.front());
        if (auto possible = check_derivable(*in_file, *derive_options, options.policy.split); !possible)
            return fail(possible.error().message, path);
        std::move(in_file->begin(), in_file->end(), std::back_inserter(recordings));
    }
    const auto profiles = derive_profiles(recordings, *derive_options, options.policy.split, options.output);
    std::vector<Written> files;
    for (const ProfileReport& report : profiles) {
        auto written = options.format.write(report.derivation.profile, "", report.path, this_machine());
        if (!written) return tl::unexpected(written.error());
        files.push_back(std::move(*written));
    }
    for (std::size_t i = 0; i < profiles.size(); ++i)
        if (const auto done = replace_file(profiles[i].path, files[i].content); !done)
            return tl::unexpected(done.error());
    if (options.quiet) return 0;
    for (const std::string& loss : all_losses(files)) warn_of_loss(options.format, loss);
    for (const std::string& line : warnings(profiles)) say("warning: " + line);
    for (const ProfileReport& report : profiles)
        say(fmt::format("profile{} written to {}: {} calls observed",
                        report.executable.empty() ? "" : " of " + report.executable, output_name(report.path),
                        report.derivation.observed));
    return 0;
}

}  // namespace

Subcommand add_derive(Program& program) {
    const auto options = std::make_shared<DeriveCommandOptions>();
    CommandLine sub = program.add("derive", "Make a profile from recordings, without running anything");
    sub.usage("callcensus derive [OPTIONS] RECORDING...");
    sub.footer(
        "Several recordings (of several test runs, say) give one profile that allows what any of them "
        "needed.\n\n"
        "Example:\n"
        "  callcensus derive --runtime crun run1.json run2.json -o profile.json");
    sub.value("RECORDING", "FILE", options->recordings,
              "Written by `callcensus trace --recording`; - is standard input")
        .required();
    const Option named = sub.value("-o,--output", "FILE", options->output,
                                   "The profile (default: seccomp.json; - is standard output)");
    sub.flag("-q,--quiet", options->quiet, "No summary and no warnings");
    options->format.add_to(sub, "--format", "Format");
    options->policy.add_selection_to(sub);
    options->policy.add_to(sub);
    return {sub, TargetBegins::never, [options, named](const std::vector<std::string>&) {
                if (!named.given()) options->output = options->format.default_output();
                return derive_profile(*options);
            }};
}

}  // namespace callcensus::cli
