// The command line: finds the subcommand, keeps the parser away from the target's arguments, and turns every
// error into one line.
#include <sys/utsname.h>

#include <algorithm>

#include "callcensus/abi.hpp"
#include "callcensus/version.hpp"
#include "cli/messages.hpp"
#include "cli/split_target.hpp"
#include "cli/subcommand.hpp"

namespace callcensus::cli {
namespace {

std::string version_text() {
    utsname system{};
    ::uname(&system);
    return std::string("callcensus ") + version + "\nlibseccomp " + libseccomp_version() + "\n" +
           system.sysname + " " + system.release + " " + system.machine;
}

int run_command(std::vector<std::string> arguments) {
    Program program(
        "callcensus",
        "Records the system calls that a program makes and turns them into the narrowest seccomp profile\n"
        "that it still runs under, for docker, podman and Kubernetes.",
        version_text(), "`callcensus COMMAND --help` tells more.\n\nExample:\n  callcensus trace -- ls -l");
    const std::vector<Subcommand> subcommands{
        add_trace(program),  add_derive(program),   add_diff(program), add_merge(program),
        add_lint(program),   add_convert(program),  add_show(program), add_explain(program),
        add_verify(program), add_minimize(program), add_hook(program), add_runtime(program)};

    std::vector<std::string> target;
    const auto named =
        std::find_if(subcommands.begin(), subcommands.end(), [&](const Subcommand& subcommand) {
            return !arguments.empty() && subcommand.command.name() == arguments.front();
        });
    if (named == subcommands.end() && !arguments.empty() && arguments.front().rfind('-', 0) != 0)
        return complain({"there is no command \"" + arguments.front() + "\" (see callcensus --help)", "", 0});
    if (named != subcommands.end() && named->target_begins != TargetBegins::never) {
        const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
        SplitArguments split = named->target_begins == TargetBegins::after_separator
                                   ? split_at_separator(rest)
                                   : split_target(named->command, rest);
        arguments.resize(1);
        arguments.insert(arguments.end(), split.ours.begin(), split.ours.end());
        target = std::move(split.target);
    }

    const int status_of_errors = named != subcommands.end() ? named->status_of_errors : failed;
    const auto answered = program.parse(std::move(arguments));
    if (!answered) {
        const std::string of = named != subcommands.end() ? " " + named->command.name() : "";
        return complain({answered.error().message + " (see callcensus" + of + " --help)", "", 0},
                        status_of_errors);
    }
    if (*answered) return **answered;
    const auto status = named->run(target);
    return status ? *status : complain(status.error(), status_of_errors);
}

}  // namespace

}  // namespace callcensus::cli

int main(int argc, char** argv) {
    try {
        const std::string_view name = argc > 0 ? argv[0] : "";
        if (name.substr(name.rfind('/') + 1) == "callcensus-runtime")
            return callcensus::cli::run_as_runtime({argv + 1, argv + argc});
        return callcensus::cli::run_command({argv + 1, argv + argc});
    } catch (
        const std::exception& error) {  // out of memory, a fault of ours: still one line, still our status
        return callcensus::cli::complain({error.what(), "", 0});
    }
}
