#include "container/runtime.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "container/hook_install.hpp"
#include "container/hook_place.hpp"
#include "container/hook_trust.hpp"
#include "container/own_program.hpp"
#include "container/runtime_bundle.hpp"
#include "format/limits.hpp"
#include "record/command.hpp"

namespace callcensus {
namespace {

constexpr std::string_view default_runtime = "runc";

std::string or_from_environment(const std::string& option, const char* variable) {
    const char* const value = std::getenv(variable);
    return option.empty() && value != nullptr ? value : option;
}

// Early, so that whoever asked hears of it from the engine; the hook asks again.
Result<void> check(const Annotations& annotations, const Limits& limits) {
    const auto request = read_request(annotations, limits);
    if (!request || !*request) return {};  // what is asked wrongly the hook will say
    for (const std::string& path : {(*request)->output, (*request)->baseline, (*request)->recording}) {
        if (path.empty()) continue;
        if (const auto place = HookPlace::of(path, limits); !place) return tl::unexpected(place.error());
    }
    return {};
}

// Of a stranger's container, whose files are to be in the directory that this names.
Result<std::string> directory_of(const RuntimeOptions& options) {
    std::string directory = or_from_environment(options.directory, "CALLCENSUS_DIRECTORY");
    if (directory.empty()) directory = default_directory;
    if (directory.front() != '/')
        return fail("is no absolute path: the directory for what containers record", "CALLCENSUS_DIRECTORY");
    std::error_code failed;  // what stands in the way shows in a moment
    std::filesystem::create_directories(directory, failed);
    return directory;
}

// A configuration that cannot be read is the runtime's to complain about.
Result<void> add_hook_to(const std::string& bundle, const RuntimeOptions& options) {
    const std::string path = bundle + "/config.json";
    const auto text = read_file(path, largest_runtime_json);
    if (!text) return {};
    const auto program = own_program();
    if (!program) return tl::unexpected(program.error());
    const auto asked = asking(*text);
    if (!asked) return {};
    const std::string word = or_from_environment(options.trust, "CALLCENSUS_TRUST");
    const auto trust = word.empty() ? Result<Trust>(Trust::nobody) : read_trust(word);
    if (!trust) return fail(trust.error().message, "CALLCENSUS_TRUST");
    Limits limits = limits_of({*trust}, asked->annotations, bundle, asked->from_environment);
    if (limits.asker == Asker::owner)
        return replace_file(path, with_hook(asked->text, *program, hook_arguments({"--trust", "everybody"})));
    auto directory = directory_of(options);
    if (!directory) return tl::unexpected(directory.error());
    limits.directory = std::move(*directory);
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
    const auto text = read_file(file->path, largest_runtime_json);
    const auto changed = text ? without_our_variables(*text) : std::nullopt;
    if (!changed) return;
    const UniqueFd memory(::memfd_create("process.json", MFD_CLOEXEC));
    if (!memory || !write_all(memory.get(), *changed, file->path)) return;
    const int inherited = ::fcntl(memory.get(), F_DUPFD, above);
    if (inherited >= 0) arguments[file->word] = file->prefix + "/proc/self/fd/" + std::to_string(inherited);
}

// Whoever asked for the container sees what the runtime's log has.
void write_to_log_of_runtime(const Error& error, const std::vector<std::string>& arguments) {
    const auto log = log_of(arguments);
    if (!log) return;
    const UniqueFd file(::open(log->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (file) static_cast<void>(write_all(file.get(), log_line("callcensus: " + error.text()), *log));
}

}  // namespace

Result<std::string> find_runtime(const RuntimeOptions& options) {
    const std::string chosen = or_from_environment(options.runtime, "CALLCENSUS_RUNTIME");
    const std::string name = chosen.empty() ? std::string(default_runtime) : chosen;
    const Command command = find_command(name, search_path());
    if (command.path.empty())
        return fail("is not there: name a runtime by --runtime or CALLCENSUS_RUNTIME", name, command.errnum);
    std::error_code error;
    if (std::filesystem::equivalent(command.path, "/proc/self/exe", error))
        return fail("is callcensus itself: name another runtime by --runtime or CALLCENSUS_RUNTIME",
                    command.path);
    return command.path;
}

Result<void> prepare_container(const RuntimeOptions& options, const std::vector<std::string>& arguments) {
    const auto bundle = bundle_of(arguments);
    if (!bundle) return {};
    auto added = add_hook_to(*bundle, options);
    if (!added) write_to_log_of_runtime(added.error(), arguments);
    return added;
}

Error execute_runtime(const std::string& program, std::vector<std::string> arguments) {
    hide_our_variables(arguments);
    std::vector<char*> words{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    const int reason = errno;
    return {"cannot be executed", program, reason};
}

}  // namespace callcensus
