#include "container/hook_install.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "catch.hpp"

namespace hook_install_test {

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

TEST_CASE("a hook is installed, replaced and removed, and another's is left alone") {
    std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
    const std::filesystem::path root = ::mkdtemp(name.data());
    const std::string directory = root / "hooks.d";
    const auto installed = install_hook(directory, "prestart", {});
    REQUIRE(installed);
    CHECK(installed->path == directory + "/callcensus.json");
    CHECK(installed->directory == directory);
    CHECK_FALSE(installed->replaced);
    CHECK_FALSE(installed->is_read_by_itself);
    const auto again = install_hook(directory, "createRuntime", {"--trust", "nobody"});
    REQUIRE(again);
    CHECK(again->replaced);
    const auto text = read_file(again->path, 10000);
    REQUIRE(text);
    CHECK(*text == hook_file(again->program, "createRuntime", {"--trust", "nobody"}));
    const auto removed = uninstall_hook(directory);
    REQUIRE(removed);
    CHECK(removed->was_there);
    const auto nothing = uninstall_hook(directory);
    REQUIRE(nothing);
    CHECK_FALSE(nothing->was_there);

    REQUIRE(replace_file(again->path, "{}"));
    CHECK_FALSE(install_hook(directory, "prestart", {}));
    CHECK_FALSE(uninstall_hook(directory));
    CHECK(read_file(again->path, 10000) == "{}");
    std::filesystem::remove_all(root);
}

TEST_CASE("what cannot be looked at is not taken to be missing") {
    const auto uninstalled = uninstall_hook("/" + std::string(300, 'x'));
    REQUIRE_FALSE(uninstalled);
    CHECK(uninstalled.error().errnum == ENAMETOOLONG);
}

}  // namespace hook_install_test
