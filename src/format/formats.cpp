#include "format/formats.hpp"

#include <algorithm>
#include <array>

#include "base/printable.hpp"
#include "format/errno_limit.hpp"
#include "format/flat_profile.hpp"

namespace callcensus {
namespace {

constexpr std::array table{
    FormatInfo{"oci", ".json", false, write_oci, read_oci},
    FormatInfo{"docker", ".json", false, write_docker, read_oci},
    FormatInfo{"spo", ".yaml", false, write_spo, read_spo},
    FormatInfo{"systemd", ".conf", false, write_systemd, read_systemd},
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
    for (const Rule& rule : profile.rules)
        if (const Decision decision = decision_of(rule);
            decision.action == Action::errno_ && decision.value > largest_errno)
            return fail("errno " + std::to_string(decision.value) + " of " + flat::listed(rule.names) +
                        " is above " + std::to_string(largest_errno) + ", and no runtime takes it");
    auto written = format.write(profile, context);
    if (written)  // names and keys come from a file
        for (std::string& loss : written->losses) loss = without_controls(loss);
    return written;
}

Result<Written> write_oci(const Profile& profile, const WriteContext&) {
    return Written{write_profile(profile), {}};
}

}  // namespace callcensus
