#include "cli/format_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "callcensus/compile.hpp"
#include "cli/messages.hpp"

namespace callcensus::cli {
namespace {

template <class Rows>
std::vector<std::string> ids(const Rows& rows) {
    std::vector<std::string> all;
    for (const auto& row : rows) all.emplace_back(row.id);
    return all;
}

}  // namespace

Option FormatOptions::add_to(CommandLine& command, const std::string& option, const std::string& group) {
    std::string names;
    for (const std::string& id : ids(all_formats())) names += (names.empty() ? "" : ", ") + id;
    command.group(group);
    Option added = command.value(option, "FORMAT", format, "The format of the profile: " + names)
                       .one_of(ids(all_formats()));
    command.flag("--lossy", lossy, "Leave out, with a warning, what the format cannot say");
    command
        .value("--abi", "ABI", abi,
               "The ABI of a minijail policy (default: the first of the profile's): i386")
        .one_of(ids(all_abis()));
    return added;
}

std::string FormatOptions::default_output() const {
    return "seccomp" + std::string(find_format(format)->suffix);
}

Result<Written> FormatOptions::write(const Profile& profile, const std::string& source,
                                     const std::string& output, const Machine& machine) const {
    WriteContext context;
    context.source = source;
    const std::string named_after = is_standard_output(output) ? source : output;
    const std::string stem = std::filesystem::path(named_after).stem().string();
    if (!stem.empty()) context.name = stem;
    context.machine = machine;
    if (const AbiInfo* chosen = find_abi(abi)) context.abi = chosen->abi;
    const FormatInfo& row = *find_format(format);
    if (row.id == "bpf" && is_standard_output(output) && ::isatty(STDOUT_FILENO) == 1)
        return fail("is a terminal, and bpf is binary: name a file with -o, or redirect", "standard output");
    std::vector<std::string> losses;
    if (row.compiled) {
        auto compiled = compile(profile, context.machine);
        if (!compiled) return fail(compiled.error().message, source, compiled.error().errnum);
        context.filter = std::move(compiled->code);
        context.pfc = std::move(compiled->pfc);
        losses = std::move(compiled->losses);
        if (row.id == "pfc")
            losses.insert(losses.end(), compiled->pfc_losses.begin(), compiled->pfc_losses.end());
    }
    auto written = write_as(row, profile, context);
    if (!written) return written;
    written->losses.insert(written->losses.begin(), losses.begin(), losses.end());
    if (!written->losses.empty() && !lossy) {
        const std::size_t more = written->losses.size() - 1;
        return fail(fmt::format("{} cannot say everything (--lossy writes the rest): it lacks {}{}", format,
                                written->losses.front(), more == 0 ? "" : fmt::format("; and {} more", more)),
                    source);
    }
    return written;
}

std::vector<std::string> all_losses(const std::vector<Written>& files) {
    std::vector<std::string> losses;
    for (const Written& file : files)
        for (const std::string& loss : file.losses)
            if (std::find(losses.begin(), losses.end(), loss) == losses.end()) losses.push_back(loss);
    return losses;
}

void warn_of_loss(const FormatOptions& options, const std::string& loss) {
    say("warning: " + options.format + " lacks " + loss);
}

}  // namespace callcensus::cli
