// The filter's instructions as the kernel takes them (struct sock_filter, seccomp(2)), in the byte order of
// this machine: for crun's annotation run.oci.seccomp_bpf_file, bwrap --seccomp and programs of one's own.
#include "format/formats.hpp"

namespace callcensus {

Result<Written> write_bpf(const Profile&, const WriteContext& context) {
    const auto& code = *context.filter;
    return Written{std::string(reinterpret_cast<const char*>(code.data()), code.size() * sizeof(sock_filter)),
                   {}};
}

}  // namespace callcensus
