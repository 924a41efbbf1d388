// The filter's instructions as the kernel takes them (struct sock_filter, seccomp(2)), in the byte order of
// this machine: for crun's annotation run.oci.seccomp_bpf_file, bwrap --seccomp and programs of one's own.
#include "format/flat_profile.hpp"
#include "format/formats.hpp"

namespace callcensus {

Result<Written> write_bpf(const Profile& profile, const WriteContext& context) {
    const auto& code = *context.filter;
    Written written;
    written.content.assign(reinterpret_cast<const char*>(code.data()), code.size() * sizeof(sock_filter));
    flat::tell_of_resolving(profile, context.machine, written.losses);
    flat::tell_of_listener_and_flags(profile, written.losses);
    return written;
}

}  // namespace callcensus
