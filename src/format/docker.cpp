// The format of Docker's own profiles: OCI's with archMap in place of architectures and conditions on rules.
#include "format/formats.hpp"

namespace callcensus {
namespace {

// A family is read where its first architecture is the machine's, which needs no mention to be allowed: one
// of which only another member is listed means the same.
std::vector<ArchitectureFamily> families_of(const std::vector<std::string>& architectures) {
    std::vector<ArchitectureFamily> families;
    for (const std::string& token : architectures)
        if (const AbiInfo* row = find_abi_by_token(token))
            add_to_families(families, row->abi);
        else
            families.push_back({token, {}});
    return families;
}

}  // namespace

Result<Written> write_docker(const Profile& profile, const WriteContext&) {
    Profile docker = profile;
    if (docker.arch_map.empty()) docker.arch_map = families_of(docker.architectures);
    docker.architectures.clear();
    use_errno_numbers(docker);
    return Written{write_profile(docker), {}};
}

}  // namespace callcensus
