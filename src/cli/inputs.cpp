#include "cli/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/file.hpp"
#include "cli/messages.hpp"
#include "format/limits.hpp"

namespace callcensus::cli {

namespace {

struct Opened {
    std::string text;
    ReadContext context;
};

bool is_there(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

// What policies name by an absolute path is where they will be installed. Before that it lies beside them.
Result<IncludedFile> read_included(const std::string& path, const std::string& from) {
    const std::filesystem::path folder = std::filesystem::path(from).parent_path();
    std::filesystem::path chosen = folder / path;
    const std::filesystem::path beside = folder / chosen.filename();
    if (!is_there(chosen) && std::filesystem::path(path).is_absolute() && is_there(beside)) {
        say(fmt::format("note: {}: {} is not there; read in its place: {}", from, path, beside.string()));
        chosen = beside;
    }
    chosen = chosen.lexically_normal();
    auto text = read_file(chosen.string(), largest_profile);
    if (!text) return tl::unexpected(text.error());
    return IncludedFile{chosen.string(), std::move(*text)};
}

// Where the name of a profile begins in FILE#NAME. A file whose own name has a `#` is one.
std::size_t mark_in(const std::string& path) { return is_there(path) ? std::string::npos : path.rfind('#'); }

Result<Opened> open_input(const std::string& path, std::size_t limit, Abi abi) {
    const std::string file = path.substr(0, mark_in(path));
    ReadContext context;
    if (file != path) {
        context.choose = path.substr(file.size() + 1);
        if (context.choose.empty()) return fail("names no profile after the #", path);
    }
    auto text = read_file(file, limit);
    if (!text) return tl::unexpected(text.error());
    context.source = input_name(file);
    context.abi = abi;
    context.include = read_included;
    context.tell = [](const std::string& what, const std::string& where) {
        say("note: " + where + ": " + what);
    };
    return Opened{std::move(*text), std::move(context)};
}

}  // namespace

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string source_name(const std::string& path) { return input_name(path.substr(0, mark_in(path))); }

Result<std::vector<Input>> read_inputs(const std::string& path, Abi abi) {
    const auto opened = open_input(path, largest_recording, abi);
    if (!opened) return tl::unexpected(opened.error());
    std::vector<Input> inputs;
    if (is_recording_text(opened->text)) {
        auto recordings = parse_recordings(opened->text, opened->context.source);
        if (!recordings) return tl::unexpected(recordings.error());
        inputs.push_back({input_name(path), std::move(*recordings)});
        return inputs;
    }
    auto profiles = read_profiles(opened->text, opened->context);
    if (!profiles) return tl::unexpected(profiles.error());
    for (ProfileInText& each : *profiles)
        inputs.push_back({profiles->size() == 1 ? input_name(path) : opened->context.source + "#" + each.name,
                          std::move(each.profile)});
    return inputs;
}

Result<Readable> read_input(const std::string& path, Abi abi) {
    const auto opened = open_input(path, largest_recording, abi);
    if (!opened) return tl::unexpected(opened.error());
    return parse_any(opened->text, opened->context);
}

Result<Profile> read_one_profile(const std::string& path, Abi abi) {
    const auto opened = open_input(path, largest_profile, abi);
    if (!opened) return tl::unexpected(opened.error());
    return read_profile(opened->text, opened->context);
}

Result<std::vector<ProfileText>> read_profile_texts(const std::string& path) {
    const auto opened = open_input(path, largest_profile, native_abi());
    if (!opened) return tl::unexpected(opened.error());
    return read_all_leniently(opened->text, opened->context);
}

Result<ProfileFile> read_profile_file(const std::string& path, Abi abi) {
    auto opened = open_input(path, largest_profile, abi);
    if (!opened) return tl::unexpected(opened.error());
    auto profile = read_profile(opened->text, opened->context);
    if (!profile) return tl::unexpected(profile.error());
    ProfileFile file{opened->context.source, std::string(format_of(opened->text).id), std::move(*profile),
                     std::nullopt};
    opened->context.tell = {};  // told already
    if (auto places = read_leniently(opened->text, opened->context)) file.text = std::move(*places);
    return file;
}

Result<void> check_inputs(const std::vector<std::string>& paths) {
    if (std::count(paths.begin(), paths.end(), "-") > 1)
        return fail("standard input (-) can be read only once");
    return {};
}

void MachineOptions::add_to(CommandLine& command) {
    const std::string group = "Where the profile is used (for Docker's includes, excludes and archMap)";
    command.group(group);
    command.list(
        "--caps", "NAME,...", caps,
        "The container's capabilities: default (Docker's), none, or names; default,SYS_ADMIN adds one");
    command.value("--arch", "NAME", arch,
                  "The machine's architecture, as Go says it (default: this one): amd64");
    command.value("--kernel", "X.Y", kernel, "The machine's kernel (default: this one): 5.10");
}

Result<Machine> MachineOptions::resolve() const {
    Machine machine = this_machine();
    if (!caps.empty()) machine.caps.clear();
    for (std::string name : caps) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (name == "NONE") continue;
        if (name == "DEFAULT") {
            machine.caps.insert(docker_default_capabilities().begin(), docker_default_capabilities().end());
            continue;
        }
        if (name.rfind("CAP_", 0) != 0) name.insert(0, "CAP_");
        machine.caps.insert(name);
    }
    if (!arch.empty()) {
        const AbiInfo* row = find_machine_abi(arch);
        if (row == nullptr)
            return fail("is no architecture; it should look like amd64, arm64 or s390x", "--arch " + arch);
        machine.arch = std::string(row->go_name);
    }
    if (!kernel.empty()) {
        const auto version = read_kernel_version(kernel);
        if (!version) return fail("should look like 5.10", "--kernel " + kernel);
        machine.kernel = *version;
    }
    return machine;
}

}  // namespace callcensus::cli
