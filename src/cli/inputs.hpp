// What subcommands that compare and convert take: files of any kind that we read, and the machine for which a
// profile's conditions are resolved.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "callcensus/result.hpp"

namespace callcensus::cli {

/// How messages call an input: "standard input" for `-`.
[[nodiscard]] std::string input_name(const std::string& path);

[[nodiscard]] Result<Readable> read_input(const std::string& path);

/// A profile with the text around it.
struct ProfileFile {
    std::string name;    ///< for messages
    std::string format;  ///< its id
    Profile profile;
    std::optional<ProfileText> text;  ///< empty for what is no JSON and no YAML, and so has no places

    /// Or null.
    [[nodiscard]] const ProfileText* places() const { return text ? &*text : nullptr; }
};
[[nodiscard]] Result<ProfileFile> read_profile_file(const std::string& path);

/// Fails where `-` stands twice: standard input can be read once.
[[nodiscard]] Result<void> check_inputs(const std::vector<std::string>& paths);

struct MachineOptions {
    std::vector<std::string> caps;
    std::string arch;
    std::string kernel;

    void add_to(CLI::App& app);
    [[nodiscard]] Result<Machine> resolve() const;
};

}  // namespace callcensus::cli
