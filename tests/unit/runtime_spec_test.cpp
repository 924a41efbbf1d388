#include "format/runtime_spec.hpp"

#include "catch.hpp"

namespace runtime_spec_test {

using namespace callcensus;

TEST_CASE("a container's state as runc and crun write it") {
    const auto runc = parse_container_state(
        R"({"ociVersion":"1.0.2-dev","id":"c1","status":"creating","pid":18395,"bundle":"/b",
            "annotations":{"io.containers.trace-syscall":"of:/p","x":""}})",
        "state");
    REQUIRE(runc);
    CHECK(runc->id == "c1");
    CHECK(runc->pid == 18395);
    CHECK(runc->bundle == "/b");
    CHECK(runc->annotations == Annotations{{"io.containers.trace-syscall", "of:/p"}, {"x", ""}});
    const auto bare = parse_container_state(R"({"ociVersion":"1.0","id":"c","status":"created"})", "state");
    REQUIRE(bare);
    CHECK(bare->pid == 0);
    CHECK(bare->bundle.empty());
    CHECK_FALSE(bare->annotations);
    CHECK_FALSE(parse_container_state(R"({"annotations":null})", "state")->annotations);
}

TEST_CASE("a state that is none says where") {
    const auto error = [](const char* text) { return parse_container_state(text, "state").error().text(); };
    CHECK(error("") == "state: is empty");
    CHECK(error("[]") == "state:1:1: the file must be an object");
    CHECK(error("{\"pid\": \"7\"}").rfind("state:1:9: pid must be a whole number", 0) == 0);
    CHECK(error("{\"pid\": 4294967297}").rfind("state:1:9: pid must be a whole number", 0) == 0);
    CHECK(error("{\"annotations\": {\"a\": 1}}") == "state:1:23: annotations.a must be a string");
}

TEST_CASE("a bundle's configuration: command, annotations, and whether it has a filter") {
    const auto config = parse_container_config(
        R"({"process":{"args":["ls","/"],"env":[]},"annotations":{"a":"b"},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}})",
        "config.json");
    REQUIRE(config);
    CHECK(config->command == std::vector<std::string>{"ls", "/"});
    CHECK(config->annotations == Annotations{{"a", "b"}});
    CHECK(config->has_filter);
    CHECK_FALSE(parse_container_config(R"({"linux":{"seccomp":null}})", "config.json")->has_filter);
    CHECK_FALSE(parse_container_config(R"({"linux":{}})", "config.json")->has_filter);
    CHECK_FALSE(parse_container_config("{}", "config.json")->has_filter);
}

}  // namespace runtime_spec_test
