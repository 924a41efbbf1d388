// callcensus hook: run by a container runtime, or by an administrator who registers it.
#include <unistd.h>

#include <memory>

#include "cli/messages.hpp"
#include "cli/subcommand.hpp"
#include "container/hook.hpp"
#include "container/hook_install.hpp"

namespace callcensus::cli {
namespace {

constexpr int hook_failed = 1;

struct HookOptions {
    bool install = false;
    bool uninstall = false;
    std::string hooks_directory;
    std::string stage = "prestart";
    std::string trust = "caller";
    Registration registered;
    std::vector<std::string> limits;  // as they are on the command line
};

Result<int> run(const HookOptions& options) {
    if (::isatty(STDIN_FILENO) == 1)
        return fail("reads a container's state from a runtime; --install registers the hook with podman",
                    "standard input");
    Registration registered = options.registered;
    const auto trust = read_trust(options.trust);
    if (!trust) return fail(trust.error().message, "--trust");
    registered.trust = *trust;
    const auto done = run_hook(registered);
    return done.map([] { return 0; });
}

Result<int> install(const HookOptions& options, const std::string& directory) {
    const auto installed = install_hook(directory, options.stage, options.limits);
    if (!installed) return tl::unexpected(installed.error());
    say((installed->replaced ? "replaced " : "wrote ") + installed->path + ", which runs " +
        installed->program + " hook");
    const bool needs_telling = !installed->is_read_by_itself;
    if (needs_telling)
        say("podman reads that directory where it is told to: by --hooks-dir, or by hooks_dir in "
            "containers.conf");
    const std::string example =
        ::geteuid() == 0 ? std::string(default_directory) + "/ls.json" : "$HOME/ls.json";
    say("to record a container: podman " +
        (needs_telling ? "--hooks-dir " + installed->directory + " " : "") +
        "run --annotation io.containers.trace-syscall=of:" + example +
        " --security-opt seccomp=unconfined "
        "IMAGE COMMAND");
    return 0;
}

Result<int> uninstall(const std::string& directory) {
    const auto uninstalled = uninstall_hook(directory);
    if (!uninstalled) return tl::unexpected(uninstalled.error());
    say(uninstalled->was_there ? "removed " + uninstalled->path
                               : uninstalled->path + " is not there: nothing to remove");
    return 0;
}

Result<int> hook(const HookOptions& options, bool names_directory) {
    if (!options.install && !options.uninstall && !names_directory) return run(options);
    if (names_directory && options.hooks_directory.empty()) return fail("names no directory", "--dir");
    const std::string directory = names_directory ? options.hooks_directory : default_hooks_directory();
    if (options.install) return install(options, directory);
    if (options.uninstall) return uninstall(directory);
    return fail("needs --install or --uninstall", "--dir " + options.hooks_directory);
}

}  // namespace

Subcommand add_hook(Program& program) {
    const auto options = std::make_shared<HookOptions>();
    CommandLine sub = program.add(
        "hook", "Record containers from an OCI hook: for podman, in place of oci-seccomp-bpf-hook");
    sub.usage("callcensus hook [--install | --uninstall] [OPTIONS]");
    sub.footer(
        "A runtime calls it without options, with the container's state on standard input. Containers are\n"
        "recorded whose annotations ask for it:\n"
        "  io.containers.trace-syscall=of:/FILE            write the profile there, or extend the one that is\n"
        "  io.containers.trace-syscall=of:/FILE;if:/BASE   and keep the rules of BASE\n"
        "  io.callcensus.options=KEY:VALUE;...             engine:auto|ptrace|adaptive|suspend\n"
        "      format:oci|docker|spo|minijail   runtime:any|runc|crun|none   recording:/FILE\n"
        "      existing:merge|replace   privileges:keep\n"
        "A pod or an image that asks gets new files below --directory only, and no engine:suspend or existing:.\n"
        "--install registers --trust and --directory with the hook.\n"
        "The profile is complete when `podman run` returns. What goes wrong later is in the system's log.\n\n"
        "Example:\n"
        "  callcensus hook --install\n"
        "  podman run --annotation io.containers.trace-syscall=of:/var/lib/callcensus/ls.json \\\n"
        "      --security-opt seccomp=unconfined IMAGE ls /\n"
        "  podman run --security-opt seccomp=/var/lib/callcensus/ls.json IMAGE ls /");
    const Option install = sub.flag("--install", options->install, "Register the hook");
    sub.flag("--uninstall", options->uninstall, "Remove what --install has registered").excludes(install);
    const Option directory = sub.value("--dir", "DIR", options->hooks_directory,
                                       "The directory of hooks (default: " + default_hooks_directory() + ")");
    sub.value("--stage", "STAGE", options->stage,
              "When the hook is to run: prestart (default, known to every runtime) or createRuntime")
        .one_of({"prestart", "createRuntime"})
        .needs(install);
    const Option trust =
        sub.value("--trust", "WHOM", options->trust,
                  "Whose annotations have no limits: caller (default; no pod and no image), nobody, "
                  "annotations (everybody's)")
            .one_of({"nobody", "caller", "annotations", "everybody"});
    const Option of_strangers =
        sub.value(
               "--directory", "DIR", options->registered.directory,
               "Where the new files of pods and images are (default: " + std::string(default_directory) + ")")
            .check([](const std::string& path) {
                return path.rfind('/', 0) == 0 ? std::string() : "is no absolute path: " + path;
            });
    return {
        sub, TargetBegins::never,
        [options, directory, trust, of_strangers](const std::vector<std::string>&) {
            if (trust.given()) options->limits.insert(options->limits.end(), {"--trust", options->trust});
            if (of_strangers.given())
                options->limits.insert(options->limits.end(), {"--directory", options->registered.directory});
            return hook(*options, directory.given());
        },
        hook_failed};
}

}  // namespace callcensus::cli
