// The whole filter, an instruction a line, for people: pfc is libseccomp's view of its part.
#include "bpf/listing.hpp"

#include "format/flat_profile.hpp"
#include "format/formats.hpp"

namespace callcensus {

Result<Written> write_listing(const Profile& profile, const WriteContext& context) {
    Written written{listing(*context.filter), {}};
    flat::tell_of_resolving(profile, context.machine, written.losses);
    flat::tell_of_listener_and_flags(profile, written.losses);
    return written;
}

}  // namespace callcensus
