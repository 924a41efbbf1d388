#include "container/runtime_bundle.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

namespace runtime_bundle_test {

using namespace callcensus;
using Json = nlohmann::ordered_json;

namespace {

std::string bundle(const std::vector<std::string>& arguments) {
    return bundle_of(arguments).value_or("none");
}

Json hooked(const std::string& config) {
    const auto asked = asking(config);
    if (!asked) FAIL("is left alone");
    return Json::parse(with_hook(asked->text, "/p", {"callcensus", "hook"}));
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

TEST_CASE("what comes by the environment is known to, and counts only where nothing is annotated") {
    const auto by_environment = asking(R"({"process":{"env":["CALLCENSUS_TRACE=of:/o"]}})");
    REQUIRE(by_environment);
    CHECK(by_environment->from_environment);
    CHECK(by_environment->annotations.at("io.containers.trace-syscall") == "of:/o");
    // An image spoils nothing of what was said to the engine.
    const auto both = asking(
        R"({"process":{"env":["CALLCENSUS_TRACE=nonsense","CALLCENSUS_OPTIONS=nonsense"]},"annotations":{"io.containers.trace-syscall":"of:/o"}})");
    REQUIRE(both);
    CHECK_FALSE(both->from_environment);
    CHECK(both->annotations.size() == 1);
    CHECK(both->text.find("nonsense") == std::string::npos);
}

TEST_CASE("a hook of ours that is there gets the arguments that count") {
    const std::string config =
        R"({"hooks":{"prestart":[{"path":"/other","args":["callcensus","hook"]},{"path":"/p","args":["callcensus","hook"]}]}})";
    const Json hooks =
        Json::parse(with_hook(config, "/p", {"callcensus", "hook", "--trust", "nobody"}))["hooks"];
    CHECK(hooks["prestart"].size() == 2);
    CHECK(hooks["prestart"][0]["args"].size() == 2);
    CHECK(hooks["prestart"][1]["args"] == Json::parse(R"(["callcensus","hook","--trust","nobody"])"));
}

TEST_CASE("what is executed in a container is described by a file that an option of exec names") {
    const auto path = [](const std::vector<std::string>& arguments) {
        const auto file = process_file_of(arguments);
        if (!file) return std::string("none");
        CHECK(arguments[file->word] == file->prefix + file->path);
        return file->path;
    };
    CHECK(path({"exec", "--process", "/f", "c1"}) == "/f");
    CHECK(path({"exec", "-p", "/f", "c1"}) == "/f");
    CHECK(path({"exec", "--process=/f", "c1"}) == "/f");
    // As containerd and conmon call it.
    CHECK(path({"--root", "/r", "--log", "/l", "--log-format", "json", "exec", "--process", "/f",
                "--console-socket", "/s", "--detach", "--pid-file", "/p", "c1"}) == "/f");
    CHECK(path({"exec", "-d", "--pid-file", "process", "-p", "/f", "c1"}) == "/f");
    CHECK(path({"exec", "-e", "-p", "c1", "ls"}) == "none");
    CHECK(path({"exec", "c1", "-p", "/f"}) == "none");
    CHECK(path({"create", "-p", "/f", "c1"}) == "none");
    CHECK(path({"exec", "-p"}) == "none");
    CHECK(path({}) == "none");
}

TEST_CASE("what is executed in a container does not see our variables") {
    CHECK(
        without_our_variables(
            R"({"z":1,"env":["A=1","CALLCENSUS_TRACE=of:/o","CALLCENSUS_OPTIONS=x","CALLCENSUS_TRACE=of:/p"],"a":2})") ==
        R"({"z":1,"env":["A=1"],"a":2})");
    for (const char* text :
         {R"({"env":["A=1","CALLCENSUS_TRACER=x"]})", R"({"env":null})", "{}", "[]", "", "{"})
        CHECK_FALSE(without_our_variables(text));
}

TEST_CASE("what asks for nothing, or cannot be read, is left alone") {
    for (const char* text :
         {"{}", R"({"annotations":null,"hooks":null})", R"({"process":{"env":["A=1"]}})",
          R"({"process":{"env":["CALLCENSUS_OPTIONS=engine:ptrace"]}})", R"({"process":{"env":null}})", "",
          "[]", "{", R"({"annotations":[],"process":{"env":["CALLCENSUS_TRACE=of:/o"]}})",
          R"({"annotations":{"io.containers.trace-syscall":"of:/o"},"hooks":{"prestart":{}}})",
          R"({"annotations":{"io.containers.trace-syscall":"of:/o"},"hooks":[]})"}) {
        INFO(text);
        CHECK_FALSE(asking(text));
    }
}

}  // namespace runtime_bundle_test
