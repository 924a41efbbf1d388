// callcensus runtime: an OCI runtime that is runc, or another one, with our hook where a container asks for
// it. For Docker, which has no directory of hooks.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "cli/subcommand.hpp"
#include "container/hook_install.hpp"
#include "container/hook_place.hpp"
#include "container/hook_trust.hpp"
#include "container/own_program.hpp"
#include "container/runtime_bundle.hpp"
#include "record/command.hpp"

namespace callcensus::cli {
namespace {

constexpr std::size_t largest_config = std::size_t{16} << 20;
constexpr int runtime_failed = 1;
constexpr std::string_view default_runtime = "runc";

// What whoever registers the runtime says; from the runtime's own environment where options do not.
struct RuntimeOptions {
    std::string runtime, directory, trust;
};

std::string or_from_environment(const std::string& option, const char* variable) {
    const char* const value = std::getenv(variable);
    return option.empty() && value != nullptr ? value : option;
}

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

// Early, so that whoever asked hears of it from the engine; the hook asks again.
Result<void> check(const Annotations& annotations, const Limits& limits) {
    const auto request = read_request(annotations, limits);
    if (!request || !*request) return {};  // what is asked wrongly the hook will say
    for (const std::string& path : {(*request)->output, (*request)->baseline, (*request)->recording}) {
        if (path.empty()) continue;
        if (const auto place = Place::of(path, limits); !place) return tl::unexpected(place.error());
    }
    return {};
}

// A configuration that cannot be read is the runtime's to complain about.
Result<void> add_hook_to(const std::string& bundle, const RuntimeOptions& options) {
    const std::string path = bundle + "/config.json";
    const auto text = read_file(path, largest_config);
    if (!text) return {};
    const auto program = own_program();
    if (!program) return tl::unexpected(program.error());
    const auto asked = asking(*text);
    if (!asked) return {};
    const std::string word = or_from_environment(options.trust, "CALLCENSUS_TRUST");
    const auto trust = word.empty() ? Result<Trust>(Trust::nobody) : read_trust(word);
    if (!trust) return fail(trust.error().message, "CALLCENSUS_TRUST");
    Limits limits;
    limits.asker =
        asker_of(*trust, asked->annotations, {asked->from_environment, annotations_of_image(bundle)});
    if (limits.asker == Asker::owner)
        return replace_file(path, with_hook(asked->text, *program, hook_arguments({"--trust", "everybody"})));
    const std::string directory = or_from_environment(options.directory, "CALLCENSUS_DIRECTORY");
    if (!directory.empty()) limits.directory = directory;
    if (limits.directory.front() != '/')
        return fail("is no absolute path: the directory for what containers record", "CALLCENSUS_DIRECTORY");
    std::error_code failed;  // what stands in the way shows in a moment
    std::filesystem::create_directories(limits.directory, failed);
    if (auto possible = check(asked->annotations, limits); !possible) return possible;
    return replace_file(path,
                        with_hook(asked->text, *program,
                                  hook_arguments({"--trust", "nobody", "--directory", limits.directory})));
}

// What is executed in a container gets the environment of its image again. The file is the engine's: the
// runtime reads ours in its place, in memory, by a number above those that --preserve-fds hands on.
void hide_our_variables(std::vector<std::string>& arguments) {
    constexpr int above = 64;
    const auto file = process_file_of(arguments);
    if (!file) return;
    const auto text = read_file(file->path, largest_config);
    const auto changed = text ? without_our_variables(*text) : std::nullopt;
    if (!changed) return;
    const UniqueFd memory(::memfd_create("process.json", MFD_CLOEXEC));
    if (!memory || !write_all(memory.get(), *changed, file->path)) return;
    const int inherited = ::fcntl(memory.get(), F_DUPFD, above);
    if (inherited >= 0) arguments[file->word] = file->prefix + "/proc/self/fd/" + std::to_string(inherited);
}

// Whoever asked for the container sees what the runtime's log has.
int refuse(const Error& error, const std::vector<std::string>& arguments) {
    if (const auto log = log_of(arguments)) {
        const UniqueFd file(::open(log->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        if (file) static_cast<void>(write_all(file.get(), log_line("callcensus: " + error.text()), *log));
    }
    return complain(error, runtime_failed);
}

int run_runtime(const RuntimeOptions& options, std::vector<std::string> arguments) {
    const std::string runtime = or_from_environment(options.runtime, "CALLCENSUS_RUNTIME");
    const auto program = find_runtime(runtime.empty() ? std::string(default_runtime) : runtime);
    if (!program) return complain(program.error(), not_found);
    if (const auto bundle = bundle_of(arguments))
        if (const auto added = add_hook_to(*bundle, options); !added) return refuse(added.error(), arguments);
    hide_our_variables(arguments);
    std::vector<char*> words{const_cast<char*>(program->c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(program->c_str(), words.data());
    const int reason = errno;
    return complain({"cannot be executed", *program, reason}, reason == ENOENT ? not_found : cannot_execute);
}

}  // namespace

Subcommand add_runtime(CLI::App& app) {
    const auto options = std::make_shared<RuntimeOptions>();
    CLI::App* sub = app.add_subcommand(
        "runtime", "Run containers by another OCI runtime, recorded where they ask for it: for docker");
    sub->formatter(std::make_shared<HelpWithUsage>("callcensus runtime [OPTIONS] -- ARG..."));
    sub->footer(
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
    sub->add_option("--runtime", options->runtime, "The runtime (default: $CALLCENSUS_RUNTIME, or runc)")
        ->option_text("PATH");
    sub->add_option("--directory", options->directory,
                    "Where new files are made (default: $CALLCENSUS_DIRECTORY, or " +
                        std::string(default_directory) + ")")
        ->option_text("DIR");
    sub->add_option("--trust", options->trust,
                    "Whose wishes have no limits: nobody (default), caller, annotations, everybody; also "
                    "$CALLCENSUS_TRUST")
        ->option_text("WHOM");
    return {sub, TargetBegins::after_options,
            [options](const std::vector<std::string>& arguments) { return run_runtime(*options, arguments); },
            runtime_failed};
}

int run_as_runtime(const std::vector<std::string>& arguments) { return run_runtime({}, arguments); }

}  // namespace callcensus::cli
