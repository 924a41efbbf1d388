// callcensus runtime: runc, or another OCI runtime, with our hook where a container asks for it.
#include "container/runtime.hpp"

#include <cerrno>
#include <memory>

#include "cli/messages.hpp"
#include "cli/subcommand.hpp"
#include "container/hook_request.hpp"

namespace callcensus::cli {
namespace {

constexpr int runtime_failed = 1;

int run_runtime(const RuntimeOptions& options, const std::vector<std::string>& arguments) {
    const auto program = find_runtime(options);
    if (!program) return complain(program.error(), not_found);
    if (const auto prepared = prepare_container(options, arguments); !prepared)
        return complain(prepared.error(), runtime_failed);
    const Error error = execute_runtime(*program, arguments);
    return complain(error, error.errnum == ENOENT ? not_found : cannot_execute);
}

}  // namespace

Subcommand add_runtime(Program& program) {
    const auto options = std::make_shared<RuntimeOptions>();
    CommandLine sub = program.add(
        "runtime", "Run containers by another OCI runtime, recorded where they ask for it: for docker");
    sub.usage("callcensus runtime [OPTIONS] -- ARG...");
    sub.footer(
        "Everything is handed on to runc as it is. But a container that has the annotation\n"
        "io.containers.trace-syscall, or CALLCENSUS_TRACE with the same value in its environment, is made with the\n"
        "hook of `callcensus hook`, which says what these may be. CALLCENSUS_OPTIONS is io.callcensus.options.\n"
        "Neither variable reaches the program, nor what an engine executes in the container (`exec --process`).\n"
        "These may come with an image, and annotations from the author of a pod. So they get new files below\n"
        "/var/lib/callcensus only, or $CALLCENSUS_DIRECTORY of the runtime itself, and no engine:suspend or\n"
        "existing:. --trust, or $CALLCENSUS_TRUST of the runtime itself, lifts that. A symbolic link named\n"
        "callcensus-runtime does the same.\n\n"
        "Example:\n"
        "  ln -s /usr/local/bin/callcensus /usr/local/bin/callcensus-runtime\n"
        "  dockerd --add-runtime callcensus=/usr/local/bin/callcensus-runtime\n"
        "  docker run --runtime callcensus -e CALLCENSUS_TRACE=of:/var/lib/callcensus/ls.json \\\n"
        "      --security-opt seccomp=unconfined IMAGE ls /");
    sub.value("--runtime", "PATH", options->runtime, "The runtime (default: $CALLCENSUS_RUNTIME, or runc)");
    sub.value("--directory", "DIR", options->directory,
              "Where new files are made (default: $CALLCENSUS_DIRECTORY, or " +
                  std::string(default_directory) + ")");
    sub.value("--trust", "WHOM", options->trust,
              "Whose wishes have no limits: nobody (default), caller, annotations, everybody; also "
              "$CALLCENSUS_TRUST");
    return {sub, TargetBegins::after_options,
            [options](const std::vector<std::string>& arguments) { return run_runtime(*options, arguments); },
            runtime_failed};
}

int run_as_runtime(const std::vector<std::string>& arguments) { return run_runtime({}, arguments); }

}  // namespace callcensus::cli
