// What subcommands that compare and convert take: files of any kind that we read, and the machine for which a
// profile's conditions are resolved.
#pragma once

#include <string>
#include <vector>

#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "callcensus/result.hpp"
#include "cli/command_line.hpp"

namespace callcensus::cli {

/// How messages call an input: "standard input" for `-`.
[[nodiscard]] std::string input_name(const std::string& path);

/// The same of the file in FILE#NAME, for places in it.
[[nodiscard]] std::string source_name(const std::string& path);

/// What a text holds, with its name for messages.
struct Input {
    std::string name;  ///< "profiles.yaml", or "profiles.yaml#web" of several in one text
    Readable held;
};
/// All that a file holds: a manifest can have several profiles. FILE#NAME is the one of that name. What a
/// policy includes is read, and what is passed over is noted on standard error. `abi` is that of policies
/// that do not say for which one they are.
[[nodiscard]] Result<std::vector<Input>> read_inputs(const std::string& path, Abi abi = native_abi());
/// The same, where there has to be one.
[[nodiscard]] Result<Readable> read_input(const std::string& path, Abi abi = native_abi());

/// A profile of one file, for what reads profiles only.
[[nodiscard]] Result<Profile> read_one_profile(const std::string& path, Abi abi = native_abi());

/// Every profile of a file with its mistakes, and without what cannot be located.
[[nodiscard]] Result<std::vector<ProfileText>> read_profile_texts(const std::string& path);

/// A profile with the text around it.
struct ProfileFile {
    std::string name;    ///< for messages
    std::string format;  ///< its id
    Profile profile;
    std::optional<ProfileText> text;  ///< empty for what is no JSON and no YAML, and so has no places

    /// Or null.
    [[nodiscard]] const ProfileText* places() const { return text ? &*text : nullptr; }
};
[[nodiscard]] Result<ProfileFile> read_profile_file(const std::string& path, Abi abi = native_abi());

/// Fails where `-` stands twice: standard input can be read once.
[[nodiscard]] Result<void> check_inputs(const std::vector<std::string>& paths);

struct MachineOptions {
    std::vector<std::string> caps;
    std::string arch;
    std::string kernel;

    void add_to(CommandLine& command);
    [[nodiscard]] Result<Machine> resolve() const;
};

}  // namespace callcensus::cli
