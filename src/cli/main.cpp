// The command line: finds the subcommand, keeps CLI11 away from the target's arguments, and turns every error
// into one line.
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

int run(std::vector<std::string> arguments) {
    CLI::App app(
        "Records the system calls that a program makes and turns them into the narrowest seccomp profile\n"
        "that it still runs under, for docker, podman and Kubernetes.",
        "callcensus");
    app.set_version_flag("--version", version_text(),
                         "The versions of callcensus, libseccomp and the kernel");
    app.require_subcommand(1);
    app.footer("`callcensus COMMAND --help` tells more.\n\nExample:\n  callcensus trace -- ls -l");
    const std::vector<Subcommand> subcommands{add_trace(app),    add_derive(app),  add_diff(app),
                                              add_merge(app),    add_lint(app),    add_convert(app),
                                              add_show(app),     add_explain(app), add_verify(app),
                                              add_minimize(app), add_hook(app),    add_runtime(app)};

    std::vector<std::string> target;
    const auto named =
        std::find_if(subcommands.begin(), subcommands.end(), [&](const Subcommand& subcommand) {
            return !arguments.empty() && subcommand.app->get_name() == arguments.front();
        });
    if (named == subcommands.end() && !arguments.empty() && arguments.front().rfind('-', 0) != 0)
        return complain({"there is no command \"" + arguments.front() + "\" (see callcensus --help)", "", 0});
    if (named != subcommands.end() && named->target_begins != TargetBegins::never) {
        const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
        SplitArguments split = named->target_begins == TargetBegins::after_separator
                                   ? split_at_separator(rest)
                                   : split_target(*named->app, rest);
        arguments.resize(1);
        arguments.insert(arguments.end(), split.ours.begin(), split.ours.end());
        target = std::move(split.target);
    }

    try {
        std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
        app.parse(arguments);
    } catch (const CLI::Success& help_or_version) {
        return app.exit(help_or_version);
    } catch (const CLI::ParseError& error) {
        const std::string of = named != subcommands.end() ? " " + named->app->get_name() : "";
        return complain({std::string(error.what()) + " (see callcensus" + of + " --help)", "", 0},
                        named != subcommands.end() ? named->status_of_errors : failed);
    }
    return named->run(target);
}

}  // namespace

}  // namespace callcensus::cli

int main(int argc, char** argv) {
    try {
        const std::string_view name = argc > 0 ? argv[0] : "";
        if (name.substr(name.rfind('/') + 1) == "callcensus-runtime")
            return callcensus::cli::run_as_runtime({argv + 1, argv + argc});
        return callcensus::cli::run({argv + 1, argv + argc});
    } catch (
        const std::exception& error) {  // out of memory, a fault of ours: still one line, still our status
        return callcensus::cli::complain({error.what(), "", 0});
    }
}
