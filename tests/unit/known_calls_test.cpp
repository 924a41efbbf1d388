#include "callcensus/known_calls.hpp"

#include "callcensus/format.hpp"
#include "catch.hpp"

namespace known_calls_test {

using namespace callcensus;

namespace {

SyscallSet known_of(const std::string& text) {
    const auto readable = parse_any(text, "file");
    REQUIRE(readable);
    return std::visit([](const auto& file) { return known_calls(file); }, *readable);
}

std::string profile(const std::string& members, const std::string& rules) {
    return R"({"defaultAction": "SCMP_ACT_ERRNO", )" + members + R"("syscalls": [)" + rules + "]}";
}

const std::string x86_64 = R"("architectures": ["SCMP_ARCH_X86_64"], )";
const Syscall read_call{Abi::x86_64, 0}, write_call{Abi::x86_64, 1};

}  // namespace

TEST_CASE("a profile makes known what it allows unconditionally") {
    CHECK(known_of(profile(x86_64,
                           R"({"names": ["read", "write", "no_such_call"], "action": "SCMP_ACT_ALLOW"})")) ==
          SyscallSet{read_call, write_call});
    CHECK(known_of(profile(x86_64, R"({"name": "read", "action": "SCMP_ACT_LOG"})")) ==
          SyscallSet{read_call});
}

TEST_CASE("what a profile allows only sometimes is not known") {
    const std::string read = R"({"names": ["read"], "action": "SCMP_ACT_ALLOW")";
    for (const char* condition :
         {R"(, "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}])",
          R"(, "includes": {"caps": ["CAP_SYS_ADMIN"]})", R"(, "excludes": {"arches": ["arm"]})"})
        CHECK(known_of(profile(x86_64, read + condition + "}")).empty());
    CHECK(known_of(profile(x86_64, R"({"names": ["read"], "action": "SCMP_ACT_ERRNO"})")).empty());
    // Of two rules that contradict each other the runtime takes the first: not for us to guess.
    CHECK(known_of(profile(x86_64, read + R"(}, {"names": ["read"], "action": "SCMP_ACT_KILL"})")).empty());
}

TEST_CASE("a profile's calls are known on each of its architectures") {
    const std::string rule = R"({"names": ["read"], "action": "SCMP_ACT_ALLOW"})";
    const Syscall on_i386{Abi::i386, 3};
    CHECK(known_of(profile(R"("architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], )", rule)) ==
          SyscallSet{read_call, on_i386});
    if (native_abi() != Abi::x86_64) return;
    CHECK(known_of(profile("", rule)) == SyscallSet{read_call});
    CHECK(known_of(profile(
              R"("archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                                          {"architecture": "SCMP_ARCH_AARCH64"}], )",
              rule)) == SyscallSet{read_call, on_i386});
}

TEST_CASE("a recording makes known what was observed and what had been assumed") {
    Recording recording;
    recording.calls.resize(1);
    recording.calls[0].call = read_call;
    recording.calls[0].count = 1;
    recording.executables = {"/bin/tool"};
    recording.processes = {{10, std::nullopt, Milliseconds(0), {0}, 1, std::nullopt}};
    recording.assumed = {write_call};
    CHECK(known_calls(recording) == SyscallSet{read_call, write_call});
    CHECK(known_of(write_recording(recording)) == SyscallSet{read_call, write_call});
}

TEST_CASE("what is neither profile nor recording is refused") {
    CHECK_FALSE(parse_any("[]", "file"));
    CHECK_FALSE(parse_any(R"({"format": "something else"})", "file"));
    CHECK_FALSE(parse_any("{", "file"));
}

}  // namespace known_calls_test
