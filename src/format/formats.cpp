#include "format/formats.hpp"

#include <algorithm>
#include <array>

#include "base/printable.hpp"
#include "format/flat_profile.hpp"

namespace callcensus {
namespace {

constexpr std::array table{
    FormatInfo{"oci", ".json", false, write_oci, parse_profile},
    FormatInfo{"docker", ".json", false, write_docker, parse_profile},
    FormatInfo{"spo", ".yaml", false, write_spo, read_spo},
    FormatInfo{"systemd", ".conf", false, write_systemd, nullptr},
    FormatInfo{"minijail", ".policy", false, write_minijail, read_minijail},
    FormatInfo{"bpf", ".bpf", true, write_bpf, nullptr},
    FormatInfo{"pfc", ".pfc", true, write_pfc, nullptr},
    FormatInfo{"listing", ".txt", true, write_listing, nullptr},
    FormatInfo{"c", ".c", true, write_c, nullptr},
};

}  // namespace

std::span<const FormatInfo> all_formats() { return table; }

const FormatInfo* find_format(std::string_view id) {
    const auto* row = std::find_if(table.begin(), table.end(),
                                   [&](const FormatInfo& candidate) { return candidate.id == id; });
    return row == table.end() ? nullptr : row;
}

Result<Written> write_as(const FormatInfo& format, const Profile& profile, const WriteContext& context) {
    if (format.compiled && !context.filter)
        return fail("holds a filter: the profile has to be compiled first", std::string(format.id));
    auto written = format.write(profile, context);
    if (written)  // names and keys come from a file
        for (std::string& loss : written->losses) loss = without_controls(loss);
    return written;
}

const FormatInfo& format_of(std::string_view text) {
    return *find_format(looks_like_yaml(text) ? "spo" : looks_like_minijail(text) ? "minijail" : "oci");
}

Result<Profile> read_profile(std::string_view text, const std::string& source) {
    return format_of(text).read(text, source);
}

Result<ProfileText> read_leniently(std::string_view text, const std::string& source) {
    if (looks_like_yaml(text)) return read_spo_leniently(text, source);
    if (looks_like_minijail(text))
        return fail("is a minijail policy; `callcensus convert` makes JSON of it, which can be judged",
                    source);
    return read_oci_leniently(text, source);
}

Result<Written> write_oci(const Profile& profile, const WriteContext&) {
    return Written{write_profile(profile), {}};
}

}  // namespace callcensus
