// The writers and readers that the table in formats.cpp lists.
#pragma once

#include "callcensus/format.hpp"

namespace callcensus {

[[nodiscard]] Result<Written> write_oci(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_docker(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_spo(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_systemd(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_bpf(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_pfc(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_listing(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_c(const Profile& profile, const WriteContext& context);
[[nodiscard]] Result<Written> write_minijail(const Profile& profile, const WriteContext& context);

[[nodiscard]] Result<Profile> read_spo(std::string_view text, const std::string& source);
/// Those whose readers go on after a mistake.
[[nodiscard]] Result<ProfileText> read_oci_leniently(std::string_view text, const std::string& source);
[[nodiscard]] Result<ProfileText> read_spo_leniently(std::string_view text, const std::string& source);
[[nodiscard]] Result<Profile> read_minijail(std::string_view text, const std::string& source);

/// Told by the first lines that are not comments; no promise that it can be read.
[[nodiscard]] bool looks_like_yaml(std::string_view text);
[[nodiscard]] bool looks_like_minijail(std::string_view text);

}  // namespace callcensus
