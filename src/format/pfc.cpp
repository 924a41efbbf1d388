// libseccomp's pseudo filter code: the filter in a form for people (seccomp_export_pfc(3)).
#include "format/flat_profile.hpp"
#include "format/formats.hpp"

namespace callcensus {

Result<Written> write_pfc(const Profile& profile, const WriteContext& context) {
    Written written{context.pfc, {}};
    flat::tell_of_resolving(profile, context.machine, written.losses);
    flat::tell_of_listener_and_flags(profile, written.losses);
    return written;
}

}  // namespace callcensus
