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

[[nodiscard]] Result<Profile> read_oci(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<Profile> read_spo(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<Profile> read_minijail(std::string_view text, const ReadContext& context);
[[nodiscard]] Result<Profile> read_systemd(std::string_view text, const ReadContext& context);
/// `linux.seccomp` of a container's config.json.
[[nodiscard]] Result<Profile> read_runtime_config(std::string_view text, const ReadContext& context);
/// Every SeccompProfile of a manifest, or the one that the context names.
[[nodiscard]] Result<std::vector<ProfileInText>> read_manifests(std::string_view text,
                                                                const ReadContext& context);

/// Those whose readers go on after a mistake.
[[nodiscard]] Result<ProfileText> read_oci_leniently(std::string_view text, const std::string& source);
[[nodiscard]] Result<std::vector<ProfileText>> read_manifests_leniently(std::string_view text,
                                                                        const ReadContext& context);

}  // namespace callcensus
