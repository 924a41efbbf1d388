#include "cli/runtime_bundle.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace callcensus::cli;
using Json = nlohmann::ordered_json;

namespace {

std::string bundle(const std::vector<std::string>& arguments) {
    return bundle_of(arguments).value_or("none");
}

Json hooked(const std::string& config) {
    const auto changed = with_hook(config, "/p");
    if (!changed) FAIL("is left alone");
    return Json::parse(changed->text);
}

}  // namespace

TEST_CASE("the bundle of a container that is made") {
    CHECK(bundle({"create", "c1"}) == ".");
    CHECK(bundle({"run", "--bundle", "/b", "c1"}) == "/b");
    CHECK(bundle({"run", "-b", "/b", "c1"}) == "/b");
    CHECK(bundle({"create", "--bundle=/b", "c1"}) == "/b");
    CHECK(bundle({"create", "-bundle", "/b", "c1"}) == "/b");
    CHECK(bundle({"create", "--no-pivot", "--pid-file", "/pid", "--console-socket", "s", "-b", "/b", "c1"}) ==
          "/b");
    // As docker and podman call it.
    CHECK(bundle({"--root", "/r", "--log", "/l", "--log-format", "json", "--systemd-cgroup", "create",
                  "--bundle", "/b", "--pid-file", "/b/init.pid", "c1"}) == "/b");
    CHECK(bundle({"--log-format=json", "--root", "create", "create", "-b", "/b", "x"}) == "/b");
    CHECK(bundle({"--rootless", "true", "--criu", "/c", "--debug", "run", "x"}) == ".");
    CHECK(bundle({"--cgroup-manager", "disabled", "create", "x"}) == ".");
}

TEST_CASE("no bundle of any other command, and none behind the container's name") {
    CHECK(bundle({}) == "none");
    CHECK(bundle({"--version"}) == "none");
    CHECK(bundle({"--root", "create"}) == "none");
    CHECK(bundle({"delete", "create"}) == "none");
    CHECK(bundle({"exec", "-b", "/b", "c1", "run"}) == "none");
    CHECK(bundle({"start", "run"}) == "none");
    CHECK(bundle({"create", "c1", "--bundle", "/b"}) == ".");
    CHECK(bundle({"create", "--pid-file", "--bundle", "/b"}) == ".");
}

TEST_CASE("the hook comes to what is there, once") {
    const std::string config =
        R"({"z":18446744073709551615,"annotations":{"io.containers.trace-syscall":"of:/o"},)"
        R"("hooks":{"prestart":[{"path":"/other"}],"poststop":[]},"process":{"env":["A=1"],"rlimits":null},"a":0.5})";
    const Json result = hooked(config);
    CHECK(result["hooks"]["prestart"] ==
          Json::parse(R"([{"path":"/other"},{"path":"/p","args":["callcensus","hook"]}])"));
    Json rest = result;
    rest["hooks"]["prestart"].erase(1);
    CHECK(rest.dump() == config);  // also in the order of its members
    CHECK(hooked(result.dump()) == result);
}

TEST_CASE("variables stand for annotations and do not reach the program") {
    const Json result = hooked(
        R"({"process":{"env":["A=1","CALLCENSUS_TRACE=of:/o","CALLCENSUS_OPTIONS=engine:ptrace","CALLCENSUS_TRACER=x"]}})");
    CHECK(result["process"]["env"] == Json::parse(R"(["A=1","CALLCENSUS_TRACER=x"])"));
    CHECK(result["annotations"]["io.containers.trace-syscall"] == "of:/o");
    CHECK(result["annotations"]["io.callcensus.options"] == "engine:ptrace");
    CHECK(result["hooks"]["prestart"].size() == 1);
    // What comes with an image does not overrule what was said to the engine.
    const Json both = hooked(
        R"({"process":{"env":["CALLCENSUS_TRACE=of:/image"]},"annotations":{"io.containers.trace-syscall":"of:/o"}})");
    CHECK(both["annotations"]["io.containers.trace-syscall"] == "of:/o");
    CHECK(both["process"]["env"].empty());
}

TEST_CASE("what comes by the environment is known to, and may name files of one directory only") {
    const auto by_environment = with_hook(R"({"process":{"env":["CALLCENSUS_TRACE=of:/o"]}})", "/p");
    REQUIRE(by_environment);
    CHECK(by_environment->from_environment);
    CHECK(by_environment->annotations.at("io.containers.trace-syscall") == "of:/o");
    const auto options_alone = with_hook(
        R"({"process":{"env":["CALLCENSUS_OPTIONS=recording:/r"]},"annotations":{"io.containers.trace-syscall":"of:/o"}})",
        "/p");
    REQUIRE(options_alone);
    CHECK(options_alone->from_environment);
    const auto annotated = with_hook(R"({"annotations":{"io.containers.trace-syscall":"of:/o"}})", "/p");
    REQUIRE(annotated);
    CHECK_FALSE(annotated->from_environment);

    HookRequest request;
    for (const auto& [path, confined] :
         std::vector<std::pair<std::string, bool>>{{"/no/such/dir/f.json", true},
                                                   {"/no/such/dir/a/b", true},
                                                   {"/no/such/dir", false},
                                                   {"/no/such/directory", false},
                                                   {"/no/such/dir/../f", false},
                                                   {"/etc/f", false}}) {
        INFO(path);
        request.output = path;
        CHECK(check_confined(request, "/no/such/dir").has_value() == confined);
    }
    request.output = "/no/such/dir/f";
    CHECK(check_confined(request, "/no/such/dir/"));
    CHECK_FALSE(check_confined(request, ""));
    request.baseline = "/etc/shadow";
    CHECK_FALSE(check_confined(request, "/no/such/dir"));
    request.baseline.clear();
    request.recording = "/etc/cron.d/f";
    CHECK_FALSE(check_confined(request, "/no/such/dir"));
}

TEST_CASE("what asks for nothing, or cannot be read, is left alone") {
    for (const char* text :
         {"{}", R"({"annotations":null,"hooks":null})", R"({"process":{"env":["A=1"]}})",
          R"({"process":{"env":["CALLCENSUS_OPTIONS=engine:ptrace"]}})", R"({"process":{"env":null}})", "",
          "[]", "{", R"({"annotations":[],"process":{"env":["CALLCENSUS_TRACE=of:/o"]}})",
          R"({"annotations":{"io.containers.trace-syscall":"of:/o"},"hooks":{"prestart":{}}})",
          R"({"annotations":{"io.containers.trace-syscall":"of:/o"},"hooks":[]})"}) {
        INFO(text);
        CHECK_FALSE(with_hook(text, "/p"));
    }
}
