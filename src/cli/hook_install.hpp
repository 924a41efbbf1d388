// The file that makes podman and CRI-O run our hook: oci-hooks(5), version 1.0.0.
#pragma once

#include <string>
#include <string_view>

namespace callcensus::cli {

/// The file's content. `program` is an absolute path.
[[nodiscard]] std::string hook_file(const std::string& program, const std::string& stage);
/// Whether that is a file as we write it, with whatever path.
[[nodiscard]] bool is_our_hook_file(std::string_view text);

/// Where hooks belong that this user installs.
[[nodiscard]] std::string default_hooks_directory();

/// Both say what they did, and return the status to end with.
int install_hook(const std::string& directory, const std::string& stage);
int uninstall_hook(const std::string& directory);

}  // namespace callcensus::cli
