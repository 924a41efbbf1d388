/// Reading and writing profiles and recordings. Pure functions between text and values; files are the
/// caller's.
///
///     const auto profile = read_profile(text, "seccomp.json");
///     const auto unit = write_as(*find_format("systemd"), *profile, {});
///     for (const std::string& loss : unit->losses) …      // what systemd cannot say
///
/// Errors of the parsers say where: `source:line:column`, both from 1, columns in bytes.
#pragma once

#include <linux/filter.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/profile_text.hpp"
#include "callcensus/recording.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// The OCI format with Docker's and Podman's extensions. `source` names the text in errors.
[[nodiscard]] Result<Profile> parse_profile(std::string_view text, const std::string& source);
[[nodiscard]] std::string write_profile(const Profile& profile);

/// The recording's own JSON, version 1: docs/recording.schema.json.
[[nodiscard]] Result<Recording> parse_recording(std::string_view text, const std::string& source);
[[nodiscard]] std::string write_recording(const Recording& recording);

/// One or several in one file, nothing of them lost: docs/recordings.schema.json.
[[nodiscard]] Result<std::vector<Recording>> parse_recordings(std::string_view text,
                                                              const std::string& source);
/// One recording is written as itself.
[[nodiscard]] std::string write_recordings(std::span<const Recording> recordings);

/// A file that another one includes.
struct IncludedFile {
    std::string source;  ///< for messages, and for what it includes in turn
    std::string text;
};

/// What readers need beside the text.
struct ReadContext {
    std::string source;  ///< names the text in errors; its path where it has one
    std::string choose;  ///< of several profiles in one text the one of this name; empty: there must be one
    Abi abi = native_abi();  ///< of formats that are for one ABI, where neither text nor name says which
    /// Reads what a text includes: the path as it stands there, and the source of the text. Without it a text
    /// that includes another is an error.
    std::function<Result<IncludedFile>(const std::string& path, const std::string& from)> include;
    /// Told of what is passed over: one line each, and its place.
    std::function<void(const std::string& what, const std::string& where)> tell;

    void note(const std::string& what, const std::string& where) const {
        if (tell) tell(what, where);
    }
};

/// A profile in any format that has a reader, told apart by what the text looks like.
[[nodiscard]] Result<Profile> read_profile(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<Profile> read_profile(std::string_view text, const std::string& source);

/// One of the profiles in a text. Kubernetes manifests can hold several, and have names.
struct ProfileInText {
    std::string name;  ///< empty where it has none
    Profile profile;
};
/// All that a text holds: at least one.
[[nodiscard]] Result<std::vector<ProfileInText>> read_profiles(std::string_view text,
                                                               const ReadContext& context);

/// The same for a text with mistakes, in the JSON formats and as a SeccompProfile (YAML): mistakes are in the
/// result, and only what is no JSON or YAML at all is an error.
[[nodiscard]] Result<ProfileText> read_leniently(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<ProfileText> read_leniently(std::string_view text, const std::string& source);
[[nodiscard]] Result<std::vector<ProfileText>> read_all_leniently(std::string_view text,
                                                                  const ReadContext& context);

/// Either of them.
using Readable = std::variant<Profile, std::vector<Recording>>;
[[nodiscard]] Result<Readable> parse_any(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<Readable> parse_any(std::string_view text, const std::string& source);

/// Whether a text is a recording, and no profile.
[[nodiscard]] bool is_recording_text(std::string_view text);

/// What writers need beside the profile.
struct WriteContext {
    std::string source;  ///< where the profile comes from, for a comment: "seccomp.json"; may be empty
    std::string name = "callcensus";   ///< of the result, where a format wants one: object, C function
    Machine machine = this_machine();  ///< decides Docker's conditions for formats that cannot say them
    std::optional<Abi> abi;            ///< for formats of one ABI; empty: the first of the profile's
    /// The same profile compiled, for the formats that hold a filter (FormatInfo::compiled), and its readable
    /// form.
    std::optional<std::vector<sock_filter>> filter;
    std::string pfc;
};

struct Written {
    std::string content;
    /// What the format could not say, one line each. The content then is stricter than the profile where it
    /// can be, never more permissive.
    std::vector<std::string> losses;
};

/// One row of the table of formats.
struct FormatInfo {
    std::string_view id;      ///< "oci"
    std::string_view suffix;  ///< of its files: ".json"
    bool compiled = false;    ///< needs WriteContext::filter
    Result<Written> (*write)(const Profile&, const WriteContext&) = nullptr;
    /// Null where there is no reader.
    Result<Profile> (*read)(std::string_view text, const ReadContext& context) = nullptr;
};

/// The format of a profile where nobody names another: its id.
constexpr std::string_view default_format = "oci";

[[nodiscard]] std::span<const FormatInfo> all_formats();
[[nodiscard]] const FormatInfo* find_format(std::string_view id);

/// In which format a text seems to be, of those that read_profile() reads.
[[nodiscard]] const FormatInfo& format_of(std::string_view text);

/// Fails only where something is missing that the format cannot do without; what it cannot say is a loss.
[[nodiscard]] Result<Written> write_as(const FormatInfo& format, const Profile& profile,
                                       const WriteContext& context);

}  // namespace callcensus
