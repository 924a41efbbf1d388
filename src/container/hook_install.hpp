// The file that makes podman and CRI-O run our hook: oci-hooks(5), version 1.0.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callcensus/result.hpp"

namespace callcensus {

/// How the hook is called: `callcensus hook`, and then what limits it. The words of an administrator who has
/// registered it; those of a container are annotations.
[[nodiscard]] std::vector<std::string> hook_arguments(const std::vector<std::string>& limits = {});
/// Whether these are arguments as hook_arguments() has them, with whatever limits.
[[nodiscard]] bool are_our_arguments(const std::vector<std::string>& arguments);

/// The file's content. `program` is an absolute path.
[[nodiscard]] std::string hook_file(const std::string& program, const std::string& stage,
                                    const std::vector<std::string>& limits);
/// Whether that is a file as we write it, with whatever path, stage and limits.
[[nodiscard]] bool is_our_hook_file(std::string_view text);

/// Where hooks belong that this user installs.
[[nodiscard]] std::string default_hooks_directory();

struct Installed {
    std::string path;                ///< of the hook file
    std::string program;             ///< that it runs
    bool replaced = false;           ///< another one of ours
    std::string directory;           ///< absolute
    bool is_read_by_itself = false;  ///< podman looks into the directory without being told
};
/// Makes the directory where it is not there.
[[nodiscard]] Result<Installed> install_hook(const std::string& directory, const std::string& stage,
                                             const std::vector<std::string>& limits);

struct Uninstalled {
    std::string path;
    bool was_there = false;
};
[[nodiscard]] Result<Uninstalled> uninstall_hook(const std::string& directory);

}  // namespace callcensus
