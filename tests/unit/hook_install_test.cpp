#include "container/hook_install.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace callcensus;
using Json = nlohmann::ordered_json;

TEST_CASE("a hook file is told from another's") {
    const Json file = Json::parse(hook_file("/usr/bin/callcensus", "createRuntime", {}));
    CHECK(file["version"] == "1.0.0");
    CHECK(file["hook"] == Json::parse(R"({"path":"/usr/bin/callcensus","args":["callcensus","hook"]})"));
    CHECK(file["when"] == Json::parse(R"({"annotations":{"^io\\.containers\\.trace-syscall$":".*"}})"));
    CHECK(file["stages"] == Json::parse(R"(["createRuntime"])"));
    CHECK(is_our_hook_file(file.dump()));
    const Json limited = Json::parse(hook_file("/c", "prestart", {"--trust", "nobody"}));
    CHECK(limited["hook"]["args"] == Json::parse(R"(["callcensus","hook","--trust","nobody"])"));
    CHECK(is_our_hook_file(limited.dump()));
    Json other = file;
    other["hook"]["args"] = Json::array({"oci-seccomp-bpf-hook", "-s"});
    CHECK_FALSE(is_our_hook_file(other.dump()));
    for (const char* text : {"", "{", "[]", "{}", R"({"hook":[]})"}) CHECK_FALSE(is_our_hook_file(text));
}
