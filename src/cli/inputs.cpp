#include "cli/inputs.hpp"

#include <algorithm>
#include <cctype>

#include "base/file.hpp"
#include "cli/policy_options.hpp"

namespace callcensus::cli {

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<Readable> read_input(const std::string& path) {
    const auto text = read_file(path, largest_recording);
    if (!text) return tl::unexpected(text.error());
    return parse_any(*text, input_name(path));
}

Result<ProfileFile> read_profile_file(const std::string& path) {
    const auto text = read_file(path, largest_profile);
    if (!text) return tl::unexpected(text.error());
    const std::string name = input_name(path);
    auto profile = read_profile(*text, name);
    if (!profile) return tl::unexpected(profile.error());
    ProfileFile file{name, std::string(format_of(*text).id), std::move(*profile), std::nullopt};
    if (auto places = read_leniently(*text, name)) file.text = std::move(*places);
    return file;
}

Result<void> check_inputs(const std::vector<std::string>& paths) {
    if (std::count(paths.begin(), paths.end(), "-") > 1)
        return fail("standard input (-) can be read only once");
    return {};
}

void MachineOptions::add_to(CLI::App& app) {
    const std::string group = "Where the profile is used (for Docker's includes, excludes and archMap)";
    app.add_option(
           "--caps", caps,
           "The container's capabilities: default (Docker's), none, or names; default,SYS_ADMIN adds one")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->option_text("NAME,...")
        ->group(group);
    app.add_option("--arch", arch, "The machine's architecture, as Go says it (default: this one): amd64")
        ->option_text("NAME")
        ->group(group);
    app.add_option("--kernel", kernel, "The machine's kernel (default: this one): 5.10")
        ->option_text("X.Y")
        ->group(group);
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
