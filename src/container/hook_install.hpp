// The file that makes podman and CRI-O run our hook: oci-hooks(5), version 1.0.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace callcensus::cli {

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

/// Both say what they did, and return the status to end with.
int install_hook(const std::string& directory, const std::string& stage,
                 const std::vector<std::string>& limits);
int uninstall_hook(const std::string& directory);

}  // namespace callcensus::cli
