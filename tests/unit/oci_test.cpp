#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "callcensus/format.hpp"
#include "catch.hpp"

namespace oci_test {

using namespace callcensus;

namespace {

std::string error_of(const std::string& text) {
    const auto profile = parse_profile(text, "p.json");
    REQUIRE_FALSE(profile);
    CHECK(profile.error().text().find('\n') == std::string::npos);
    return profile.error().text();
}

std::string file(const std::string& path) {
    std::ifstream stream(path);
    REQUIRE(stream);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
}

const std::string everything = R"({
  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
  "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
  "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m", "futureField": {"a": [1, null]},
  "syscalls": [
    {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
    {"name": "clone", "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EPERM", "comment": "why",
     "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}],
     "includes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["amd64"], "minKernel": "4.8"},
     "excludes": {"caps": ["CAP_X"], "later": true}, "another": 1}
  ]
})";

}  // namespace

TEST_CASE("nothing of a profile is lost between reading and writing") {
    const auto profile = parse_profile(everything, "p.json");
    REQUIRE(profile);
    CHECK(nlohmann::json::parse(write_profile(*profile)) == nlohmann::json::parse(everything));
    CHECK(parse_profile(write_profile(*profile), "again").value() == *profile);
}

TEST_CASE("what counts as absent for Go programs counts as absent") {
    const auto profile =
        parse_profile(R"({"defaultAction": "SCMP_ACT_KILL", "architectures": null, "archMap": null,
        "syscalls": [{"names": ["read"], "name": "", "action": "SCMP_ACT_ALLOW", "args": null, "includes": {}, "excludes": {}}]})",
                      "p.json");
    REQUIRE(profile);
    CHECK(profile->default_action == Action::kill);
    CHECK(profile->rules.at(0).includes.empty());
    CHECK(write_profile(*profile).find("includes") == std::string::npos);
}

TEST_CASE("the last of repeated keys counts") {
    CHECK(parse_profile(R"({"defaultAction": "SCMP_ACT_KILL", "defaultAction": "SCMP_ACT_TRAP"})", "p")
              .value()
              .default_action == Action::trap);
}

TEST_CASE("published default profiles survive") {
    for (const std::string name :
         {"/tests/golden/baselines/docker-shape.json", "/tests/golden/docker-default.json"}) {
        const std::string text = file(CALLCENSUS_SOURCE_DIR + name);
        const auto profile = parse_profile(text, name);
        REQUIRE(profile);
        CHECK(parse_profile(write_profile(*profile), "again").value() == *profile);
    }
}

TEST_CASE("errors name the place and the key") {
    CHECK(error_of("") == "p.json: is empty");
    CHECK(error_of(" \n ") == "p.json: is empty");
    CHECK(error_of("{\n  \"defaultAction\": SCMP\n}").rfind("p.json:2:20: is not JSON", 0) == 0);
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_KILL\"").find("ends too early") != std::string::npos);
    CHECK(error_of("\x7f"
                   "ELF")
              .rfind("p.json:1:1: is not JSON", 0) == 0);
    CHECK(error_of("[]") == "p.json:1:1: the file must be an object");
    CHECK(error_of("{}") == "p.json:1:1: the file lacks \"defaultAction\"");
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_NOPE\"}")
              .rfind("p.json:1:19: defaultAction is an unknown action \"SCMP_ACT_NOPE\"", 0) == 0);
    CHECK(error_of("{\"defaultAction\": 5}") == "p.json:1:19: defaultAction must be a string");
    CHECK(error_of(
              "{\"defaultAction\": \"SCMP_ACT_KILL\",\n\"architectures\": [\"SCMP_ARCH_X86_64\", \"X\"]}") ==
          "p.json:2:39: architectures[1] is an unknown architecture \"X\"; it should look like "
          "SCMP_ARCH_X86_64");
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_KILL\", \"defaultErrnoRet\": -1}")
              .find("defaultErrnoRet must be a whole number from 0") != std::string::npos);
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_KILL\", \"syscalls\": {}}")
              .find("syscalls must be a list") != std::string::npos);
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_KILL\", \"syscalls\": [5]}")
              .find("syscalls[0] must be an object") != std::string::npos);
    CHECK(error_of("{\"defaultAction\": \"SCMP_ACT_KILL\", \"syscalls\": [{\"names\": [\"a\"]}]}")
              .find("syscalls[0] lacks \"action\"") != std::string::npos);
    CHECK(
        error_of(
            R"({"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["a"], "name": "b", "action": "SCMP_ACT_ALLOW"}]})")
            .find("both \"name\" and \"names\"") != std::string::npos);
    CHECK(
        error_of(
            R"({"defaultAction": "SCMP_ACT_KILL", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]})")
            .find("archMap stands beside") != std::string::npos);
    const std::string condition =
        R"({"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [)";
    CHECK(error_of(condition + R"({"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]})")
              .find("args[0] has an index above 5") != std::string::npos);
    CHECK(error_of(condition + R"({"index": 1, "value": 1, "op": "EQ"}]}]})")
              .find("args[0].op is an unknown operator") != std::string::npos);
    CHECK(error_of(condition + R"({"index": 1, "value": 1.5, "op": "SCMP_CMP_EQ"}]}]})")
              .find("args[0].value must be a whole number") != std::string::npos);
}

TEST_CASE("deep nesting and rubbish are refused without harm") {
    CHECK(error_of(std::string(100'000, '[')).find("more than a hundred levels") != std::string::npos);
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    CHECK(error_of(deep).find("more than a hundred levels") != std::string::npos);
    CHECK(error_of(std::string(1000, '\0')).find("is not JSON") != std::string::npos);
    CHECK(error_of("{\"defaultAction\": \"\xff\xfe\"}").find("is not JSON") != std::string::npos);
}

TEST_CASE("a text of nothing but values is refused before it takes the memory") {
    std::string text = "[0";
    while (text.size() < 9'000'000) text += ",0";
    CHECK(error_of(text + "]").find("more than four million values") != std::string::npos);
}

TEST_CASE("every beginning of a valid profile is an error and never a crash") {
    for (std::size_t length = 0; length < everything.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(parse_profile(std::string_view(everything).substr(0, length), "p.json"));
    }
}

}  // namespace oci_test
