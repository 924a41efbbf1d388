// Profiles as tests write them, and where they are used.
#pragma once

#include <string>

#include "callcensus/format.hpp"
#include "callcensus/machine.hpp"
#include "catch.hpp"

namespace callcensus::testing {

inline Machine machine() { return {"amd64", docker_default_capabilities(), {6, 1}}; }

inline Profile parse(const std::string& text) {
    const auto profile = parse_profile(text, "p.json");
    if (!profile) FAIL(profile.error().text());
    return *profile;
}

// Denies by ENOSYS, on x86_64, but for these rules.
inline Profile profile(const std::string& rules) {
    return parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                     "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [)" +
                 rules + "]}");
}

}  // namespace callcensus::testing
