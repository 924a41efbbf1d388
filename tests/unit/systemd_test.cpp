// Units of systemd as systemd 252 reads them. tests/cli/test_systemd.py compares the sets with those of the
// systemd that is installed.
#include <set>

#include "callcensus/describe.hpp"
#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "catch.hpp"
#include "format/systemd_sets.hpp"

namespace systemd_test {

using namespace callcensus;

namespace {

Result<Profile> read(const std::string& text, std::vector<std::string>* notes = nullptr) {
    ReadContext context;
    context.source = "x.service";
    context.abi = Abi::x86_64;
    context.tell = [notes](const std::string& what, const std::string& where) {
        if (notes != nullptr) notes->push_back(where + ": " + what);
    };
    return read_profile(text, context);
}

std::string decision(const std::string& text, const std::string& call, Abi abi = Abi::x86_64) {
    const auto profile = read("[Service]\n" + text);
    if (!profile) FAIL(profile.error().text());
    const Machine machine{"amd64", docker_default_capabilities(), {6, 1}};
    return describe(meaning_of(*profile, machine).value().decide(abi, call, {}));
}

}  // namespace

TEST_CASE("a unit's first line decides between allowlist and denylist") {
    const std::string killed = "kills the process";
    const std::string allowlist =
        "SystemCallFilter=read write\nSystemCallFilter=~write\nSystemCallFilter=open";
    CHECK(decision(allowlist, "read") == "allowed");
    CHECK(decision(allowlist, "open") == "allowed");
    CHECK(decision(allowlist, "write") == killed);
    CHECK(decision(allowlist, "execve") == "allowed");  // of @default
    CHECK(decision("SystemCallFilter=read\nSystemCallFilter=~@default", "execve") == killed);
    const std::string denylist = "SystemCallFilter=~read @clock\nSystemCallFilter=read:ENOENT open";
    CHECK(decision(denylist, "read") == "allowed");
    CHECK(decision(denylist, "settimeofday") == killed);
    CHECK(decision(denylist, "mount") == "allowed");
    CHECK(decision("SystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=~read", "mount") == "allowed");
    CHECK(decision("SystemCallErrorNumber=EPERM\nSystemCallFilter=read", "mount") == "denied with EPERM");
    CHECK(decision("SystemCallErrorNumber=38\nSystemCallFilter=read", "mount") == "denied with ENOSYS");
    CHECK(decision("SystemCallErrorNumber=EPERM\nSystemCallErrorNumber=\nSystemCallFilter=read", "mount") ==
          killed);
    // With an errno of its own a call is denied, in either kind of list.
    const std::string own = "~mount:EACCES read:kill open";
    CHECK(decision("SystemCallErrorNumber=EPERM\nSystemCallFilter=" + own, "mount") == "denied with EACCES");
    CHECK(decision("SystemCallErrorNumber=EPERM\nSystemCallFilter=" + own, "read") == killed);
    CHECK(decision("SystemCallErrorNumber=EPERM\nSystemCallFilter=" + own, "open") == "denied with EPERM");
    CHECK(decision("SystemCallFilter=@basic-io mount:EACCES", "mount") == "denied with EACCES");
    CHECK(decision("SystemCallFilter=~@mount:EROFS", "umount2") == "denied with EROFS");
    CHECK(decision("SystemCallFilter=@system-service\nSystemCallLog=read", "read").find("log") !=
          std::string::npos);
    CHECK(decision("SystemCallLog=~read", "read") == "allowed");
    CHECK(decision("SystemCallLog=~read", "write").find("log") != std::string::npos);
}

TEST_CASE("a unit's lines are read as systemd.syntax(7) has them") {
    CHECK(decision("SystemCallFilter=read \\\n# between\n; them\n  write \\\n\n", "write") == "allowed");
    CHECK(decision("SystemCallFilter = read\twrite ", "write") == "allowed");
    CHECK(decision("SystemCallFilter=read\n[Install]\nSystemCallFilter=write\n", "write") ==
          "kills the process");
    CHECK(decision("Environment=SystemCallFilter=write\nSystemCallFilter=read", "write") ==
          "kills the process");
    CHECK(decision("#SystemCallFilter=write\nSystemCallFilter=read", "write") == "kills the process");

    const std::vector<std::string> native{"SCMP_ARCH_X86_64"};
    CHECK(read("[Service]\nSystemCallArchitectures=native\n")->architectures == native);
    CHECK(read("[Service]\nSystemCallArchitectures=x86\n")->architectures ==
          std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"});
    CHECK(read("[Service]\nSystemCallFilter=read\n")->architectures ==
          std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"});

    std::vector<std::string> notes;
    REQUIRE(
        read("[Service]\nSystemCallFilter=@sistem-service read:NONE\nSystemCallErrorNumber=x\n"
             "SystemCallArchitectures=z80\nRestrictNamespaces=yes\nLockPersonality=no\n",
             &notes));
    REQUIRE(notes.size() == 5);
    CHECK(notes[0] ==
          "x.service:2:1: \"@sistem-service\" is no set of systemd 252, and passed over; did you mean "
          "@system-service?");
    CHECK(notes[4] == "x.service:5:1: RestrictNamespaces= makes a filter of its own, which is not read");
    const auto none = read("[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n");
    REQUIRE_FALSE(none);
    CHECK(none.error().text().find("without SystemCallFilter=") != std::string::npos);
}

TEST_CASE("the sets of systemd hold their sets") {
    const auto service = find_systemd_set("@system-service");
    REQUIRE(service);
    const std::set<std::string_view> calls(service->begin(), service->end());
    const auto inner = find_systemd_set("@basic-io");
    for (const std::string_view call : *inner) CHECK(calls.count(call) == 1);
    CHECK(calls.count("mount") == 0);
    CHECK_FALSE(find_systemd_set("@no-such-set"));
    CHECK(find_abi_of_systemd(systemd_name(Abi::mipsel64n32))->abi == Abi::mipsel64n32);
}

}  // namespace systemd_test
