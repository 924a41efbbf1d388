#include "callcensus/risk.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/file.hpp"
#include "callcensus/abi.hpp"
#include "callcensus/format.hpp"
#include "catch.hpp"

namespace risk_test {

using namespace callcensus;

namespace {

Profile docker_default() {
    const std::string path = std::string(CALLCENSUS_SOURCE_DIR) + "/tests/golden/docker-default.json";
    return parse_profile(read_file(path, 1 << 20).value(), path).value();
}

// Every name that a table of the kernel up to 6.19 has, as far as the libseccomp in use knows it. ARM's
// private calls lie apart (__ARM_NR_BASE).
std::set<std::string> all_names() {
    std::set<std::string> names;
    for (const AbiInfo& row : all_abis())
        for (const std::uint32_t base : {row.number_base, 0xf0000u})
            for (std::uint32_t number = 0; number <= 470; ++number)
                if (std::string name = syscall_name({row.abi, base + number}); !name.empty())
                    names.insert(std::move(name));
    return names;
}

// What the profile says of a name: granted to whom.
struct Grant {
    bool without_capability = false;  // on some machine, for some arguments
    std::set<std::string> capabilities;
};

std::map<std::string, Grant> grants(const Profile& profile) {
    std::map<std::string, Grant> granted;
    for (const Rule& rule : profile.rules) {
        if (rule.action != Action::allow) continue;
        for (const std::string& name : rule.names) {
            Grant& grant = granted[name];
            if (rule.includes.caps.empty()) grant.without_capability = true;
            grant.capabilities.insert(rule.includes.caps.begin(), rule.includes.caps.end());
        }
    }
    return granted;
}

}  // namespace

TEST_CASE("the risky calls are known calls, each once, with a reason that fits on a line") {
    std::set<std::string_view> seen;
    for (const RiskyCall& call : all_risky_calls()) {
        CAPTURE(call.name);
        CHECK(seen.insert(call.name).second);
        CHECK(std::any_of(all_abis().begin(), all_abis().end(), [&](const AbiInfo& row) {
            return syscall_number(row.abi, call.name).has_value();
        }));
        CHECK(is_risky(call.risk));
        CHECK_FALSE(call.risk.reason.empty());
        CHECK(call.risk.reason.size() <= 120);
        CHECK(risk_of(call.name) == call.risk);
    }
    CHECK(seen.size() > 100);
}

TEST_CASE("risk agrees with Docker's default profile, for every call that there is") {
    const auto granted = grants(docker_default());
    const auto names = all_names();
    CHECK(names.size() > 450);
    for (const std::string& name : names) {
        CAPTURE(name);
        const Risk risk = risk_of(name);
        const auto row = granted.find(name);
        if (row == granted.end()) {
            CHECK(risk.cls >= RiskClass::withheld);
            CHECK(risk.capability.empty());
        } else if (row->second.without_capability) {
            CHECK((risk.cls == RiskClass::ordinary || risk.cls == RiskClass::dangerous));
            CHECK(risk.capability.empty());
        } else {
            CHECK((risk.cls == RiskClass::needs_capability || risk.cls == RiskClass::dangerous));
            CHECK(row->second.capabilities.count(std::string(risk.capability)) == 1);
        }
    }
}

TEST_CASE("classes are ordered by concern and have ids") {
    CHECK(RiskClass::ordinary < RiskClass::needs_capability);
    CHECK(RiskClass::needs_capability < RiskClass::withheld);
    CHECK(RiskClass::withheld < RiskClass::dangerous);
    CHECK(id(RiskClass::ordinary) == "ordinary");
    CHECK(id(RiskClass::needs_capability) == "needs-capability");
    CHECK(id(RiskClass::withheld) == "withheld");
    CHECK(id(RiskClass::dangerous) == "dangerous");
}

TEST_CASE("single calls are judged as the field judges them") {
    for (const char* name : {"bpf", "io_uring_setup", "keyctl", "kexec_load", "mount", "pivot_root", "ptrace",
                             "setns", "unshare", "userfaultfd"}) {
        CAPTURE(name);
        CHECK(risk_of(name).cls == RiskClass::dangerous);
    }
    CHECK(risk_of("bpf").capability == "CAP_BPF");
    CHECK(risk_of("perf_event_open").capability == "CAP_PERFMON");
    CHECK(risk_of("ptrace").capability.empty());
    CHECK(risk_of("chroot") == Risk{RiskClass::needs_capability, "CAP_SYS_CHROOT", risk_of("chroot").reason});
    CHECK(risk_of("clone3").cls == RiskClass::needs_capability);
    CHECK(risk_of("swapon").cls == RiskClass::withheld);
    for (const char* name : {"read", "clone", "socket", "personality", "", "no_such_call", "aaa", "zzz"}) {
        CAPTURE(name);
        CHECK(risk_of(name) == Risk{});
        CHECK_FALSE(is_risky(risk_of(name)));
    }
}

}  // namespace risk_test
