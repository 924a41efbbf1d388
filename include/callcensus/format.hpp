/// Reading and writing profiles and recordings. Pure functions between text and values; files are the
/// caller's.
///
/// Errors of the parsers say where: `source:line:column`, both from 1, columns in bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "callcensus/profile.hpp"
#include "callcensus/profile_text.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// The OCI format with Docker's and Podman's extensions. `source` names the text in errors.
[[nodiscard]] Result<Profile> parse_profile(std::string_view text, const std::string& source);
/// The same for a text with mistakes: those are in the result, and only what is no JSON is an error.
[[nodiscard]] Result<ProfileText> read_leniently(std::string_view text, const std::string& source);
[[nodiscard]] std::string write_profile(const Profile& profile);

/// The recording's own JSON, version 1: docs/recording.schema.json.
[[nodiscard]] Result<Recording> parse_recording(std::string_view text, const std::string& source);
[[nodiscard]] std::string write_recording(const Recording& recording);

/// One or several in one file, nothing of them lost: docs/recordings.schema.json.
[[nodiscard]] Result<std::vector<Recording>> parse_recordings(std::string_view text,
                                                              const std::string& source);
/// One recording is written as itself.
[[nodiscard]] std::string write_recordings(std::span<const Recording> recordings);

/// Either of them.
using Readable = std::variant<Profile, std::vector<Recording>>;
[[nodiscard]] Result<Readable> parse_any(std::string_view text, const std::string& source);

}  // namespace callcensus
