#include "container/hook_install.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "container/hook_request.hpp"
#include "container/own_program.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

// The one directory that podman 4 looks into by itself, as root and as another user: it does not read
// /etc/containers/oci/hooks.d, whatever its manual says, before somebody names that in containers.conf.
constexpr const char* system_directory = "/usr/share/containers/oci/hooks.d";

std::string file_in(const std::string& directory) { return directory + "/callcensus.json"; }

// A file of ours, another's, or none.
enum class Present { nothing, ours, another };
Result<Present> look_for(const std::string& path) {
    std::error_code error;
    const bool is_there = std::filesystem::exists(path, error);
    if (error) return fail("cannot be looked at", path, error.value());
    if (!is_there) return Present::nothing;
    const auto text = read_file(path, std::size_t{1} << 20);
    if (!text) return tl::unexpected(text.error());
    return is_our_hook_file(*text) ? Present::ours : Present::another;
}

}  // namespace

std::vector<std::string> hook_arguments(const std::vector<std::string>& limits) {
    std::vector<std::string> arguments{"callcensus", "hook"};
    arguments.insert(arguments.end(), limits.begin(), limits.end());
    return arguments;
}

bool are_our_arguments(const std::vector<std::string>& arguments) {
    const std::vector<std::string> begin = hook_arguments();
    return arguments.size() >= begin.size() && std::equal(begin.begin(), begin.end(), arguments.begin());
}

std::string hook_file(const std::string& program, const std::string& stage,
                      const std::vector<std::string>& limits) {
    // The annotation's name is a regular expression there.
    std::string pattern = "^";
    for (const char letter : trace_annotation) pattern += letter == '.' ? "\\." : std::string(1, letter);
    Json file;
    file["version"] = "1.0.0";
    file["hook"]["path"] = program;
    file["hook"]["args"] = hook_arguments(limits);
    file["when"]["annotations"][pattern + "$"] = ".*";
    file["stages"] = Json::array({stage});
    return file.dump(2) + "\n";
}

bool is_our_hook_file(std::string_view text) {
    const Json file = Json::parse(text, nullptr, false);
    if (!file.is_object() || !file.contains("hook") || !file["hook"].is_object()) return false;
    const Json& hook = file["hook"];
    if (!hook.contains("args") || !hook["args"].is_array()) return false;
    std::vector<std::string> arguments;
    for (const Json& argument : hook["args"])
        if (argument.is_string()) arguments.push_back(argument.get<std::string>());
    return arguments.size() == hook["args"].size() && are_our_arguments(arguments);
}

std::string default_hooks_directory() {
    if (::geteuid() == 0) return system_directory;
    const char* configuration = std::getenv("XDG_CONFIG_HOME");
    if (configuration != nullptr && *configuration == '/')
        return std::string(configuration) + "/containers/oci/hooks.d";
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : "") + "/.config/containers/oci/hooks.d";
}

Result<Installed> install_hook(const std::string& directory, const std::string& stage,
                               const std::vector<std::string>& limits) {
    const auto program = own_program();
    if (!program) return tl::unexpected(program.error());
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return fail("cannot be made", directory, error.value());
    const std::string absolute = std::filesystem::weakly_canonical(directory, error).string();
    if (error) return fail("cannot be looked at", directory, error.value());
    const std::string path = file_in(absolute);
    const auto present = look_for(path);
    if (!present) return tl::unexpected(present.error());
    if (*present == Present::another)
        return fail("is there and not ours: remove it first, or name another --dir", path);
    if (const auto done = replace_file(path, hook_file(*program, stage, limits)); !done)
        return tl::unexpected(done.error());
    // Where strangers' files have to be, and others can be. What stands in its way, who asks for one will
    // hear.
    const bool is_read_by_itself = absolute == system_directory;
    if (is_read_by_itself) std::filesystem::create_directories(default_directory, error);
    return Installed{path, *program, *present == Present::ours, absolute, is_read_by_itself};
}

Result<Uninstalled> uninstall_hook(const std::string& directory) {
    const std::string path = file_in(directory);
    const auto present = look_for(path);
    if (!present) return tl::unexpected(present.error());
    if (*present == Present::another) return fail("is not ours: left as it is", path);
    if (*present == Present::nothing) return Uninstalled{path, false};
    if (::unlink(path.c_str()) != 0) return fail("cannot be removed", path, errno);
    return Uninstalled{path, true};
}

}  // namespace callcensus
