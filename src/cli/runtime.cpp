// callcensus runtime: an OCI runtime that is runc, or another one, with our hook where a container asks for
// it. For Docker, which has no directory of hooks.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "cli/own_program.hpp"
#include "cli/runtime_bundle.hpp"
#include "cli/subcommand.hpp"
#include "record/command.hpp"

namespace callcensus::cli {
namespace {

constexpr std::size_t largest_config = std::size_t{16} << 20;
constexpr int runtime_failed = 1;
constexpr std::string_view default_runtime = "runc";
// Where files may be that a container's environment names.
constexpr const char* default_directory = "/var/lib/callcensus";

Result<std::string> find_runtime(const std::string& name) {
    const Command command = find_command(name, search_path());
    if (command.path.empty())
        return fail("is not there: name a runtime by --runtime or CALLCENSUS_RUNTIME", name, command.errnum);
    std::error_code error;
    if (std::filesystem::equivalent(command.path, "/proc/self/exe", error))
        return fail("is callcensus itself: name another runtime by --runtime or CALLCENSUS_RUNTIME",
                    command.path);
    return command.path;
}

// A configuration that cannot be read is the runtime's to complain about.
Result<void> add_hook_to(const std::string& bundle) {
    const std::string path = bundle + "/config.json";
    const auto text = read_file(path, largest_config);
    if (!text) return {};
    const auto program = own_program();
    if (!program) return tl::unexpected(program.error());
    const auto changed = with_hook(*text, *program);
    if (!changed) return {};
    if (changed->from_environment) {
        const char* chosen = std::getenv("CALLCENSUS_DIRECTORY");
        const std::string directory = chosen != nullptr && *chosen != '\0' ? chosen : default_directory;
        if (directory.front() != '/')
            return fail("is no absolute path: the directory for what containers record",
                        "CALLCENSUS_DIRECTORY");
        // What is asked wrongly the hook will say.
        if (const auto request = read_request(changed->annotations); request && *request)
            if (auto possible = check_confined(**request, directory); !possible) return possible;
        std::error_code failed;  // what stands in the way the hook will say
        std::filesystem::create_directories(directory, failed);
    }
    return replace_file(path, changed->text);
}

// Whoever asked for the container sees what the runtime's log has.
int refuse(const Error& error, const std::vector<std::string>& arguments) {
    if (const auto log = log_of(arguments)) {
        const UniqueFd file(::open(log->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        if (file) static_cast<void>(write_all(file.get(), log_line("callcensus: " + error.text()), *log));
    }
    return complain(error, runtime_failed);
}

int run_runtime(std::string runtime, const std::vector<std::string>& arguments) {
    const char* from_environment = std::getenv("CALLCENSUS_RUNTIME");
    if (runtime.empty() && from_environment != nullptr) runtime = from_environment;
    const auto program = find_runtime(runtime.empty() ? std::string(default_runtime) : runtime);
    if (!program) return complain(program.error(), not_found);
    if (const auto bundle = bundle_of(arguments))
        if (const auto added = add_hook_to(*bundle); !added) return refuse(added.error(), arguments);
    std::vector<char*> words{const_cast<char*>(program->c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(program->c_str(), words.data());
    const int reason = errno;
    return complain({"cannot be executed", *program, reason}, reason == ENOENT ? not_found : cannot_execute);
}

}  // namespace

Subcommand add_runtime(CLI::App& app) {
    const auto runtime = std::make_shared<std::string>();
    CLI::App* sub = app.add_subcommand(
        "runtime", "Run containers by another OCI runtime, recorded where they ask for it: for docker");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus runtime [--runtime PATH] -- ARG..."));
    sub->footer(
        "Everything is handed on to runc as it is. But a container that has the annotation\n"
        "io.containers.trace-syscall, or CALLCENSUS_TRACE with the same value in its environment, is made with the\n"
        "hook of `callcensus hook`, which says what these may be. CALLCENSUS_OPTIONS is io.callcensus.options.\n"
        "Neither variable reaches the program; the files that they name must be below /var/lib/callcensus, or\n"
        "$CALLCENSUS_DIRECTORY of the runtime itself, since they may come with an image. A symbolic link named\n"
        "callcensus-runtime does the same.\n\n"
        "Example:\n"
        "  ln -s /usr/local/bin/callcensus /usr/local/bin/callcensus-runtime\n"
        "  dockerd --add-runtime callcensus=/usr/local/bin/callcensus-runtime\n"
        "  docker run --runtime callcensus -e CALLCENSUS_TRACE=of:/var/lib/callcensus/ls.json \\\n"
        "      --security-opt seccomp=unconfined IMAGE ls /");
    sub->add_option("--runtime", *runtime, "The runtime (default: $CALLCENSUS_RUNTIME, or runc)")
        ->option_text("PATH");
    return {sub, TargetBegins::after_options,
            [runtime](const std::vector<std::string>& arguments) { return run_runtime(*runtime, arguments); },
            runtime_failed};
}

int run_as_runtime(const std::vector<std::string>& arguments) { return run_runtime("", arguments); }

}  // namespace callcensus::cli
