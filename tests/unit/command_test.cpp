#include "record/command.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"

namespace command_test {

using namespace callcensus;

namespace {

struct Directories {
    std::filesystem::path root;
    Directories() {
        std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
        root = ::mkdtemp(name.data());
        for (const char* directory : {"a", "b", "a/tool", "b/data"})
            std::filesystem::create_directory(root / directory);
        put("b/tool", "#!/bin/sh\n", 0755);
        put("a/plain", "text", 0644);
        put("b/old", "exit 3\n", 0755);
        put("b/garbage", std::string("\x01\x02\0\x03", 4), 0755);
        put("b/empty", "", 0755);
    }
    Directories(const Directories&) = delete;
    Directories& operator=(const Directories&) = delete;
    ~Directories() { std::filesystem::remove_all(root); }
    void put(const std::string& name, const std::string& content, mode_t mode) const {
        std::ofstream(root / name, std::ios::binary) << content;
        ::chmod((root / name).c_str(), mode);
    }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (root / name).string(); }
    [[nodiscard]] std::string path() const { return *this / "a" + ":" + *this / "b"; }
};

}  // namespace

TEST_CASE_METHOD(Directories, "PATH is searched past what cannot be executed") {
    CHECK(find_command("tool", path()).path == *this / "b/tool");  // a/tool is a directory
    CHECK(find_command("nothing", path()).errnum == ENOENT);
    CHECK(find_command("plain", path()).errnum == EACCES);
    CHECK(find_command("data", path()).errnum == EISDIR);
    CHECK(find_command("", path()).errnum == ENOENT);
}

TEST_CASE_METHOD(Directories, "a name with a slash is a path") {
    CHECK(find_command(*this / "b/tool", "").path == *this / "b/tool");
    CHECK(find_command(*this / "a", "").errnum == EISDIR);
    CHECK(find_command(*this / "a/plain", path()).errnum == EACCES);
    CHECK(find_command("./no/such", path()).errnum == ENOENT);
}

TEST_CASE_METHOD(Directories, "empty elements of PATH are the working directory") {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(root / "b");
    CHECK(find_command("tool", *this / "a" + ":").path == "./tool");
    CHECK(find_command("tool", "").path == "./tool");
    std::filesystem::current_path(before);
}

TEST_CASE_METHOD(Directories, "scripts without #! are told from binaries for other machines") {
    CHECK(is_script_for_sh(*this / "b/old"));
    CHECK(is_script_for_sh(*this / "b/empty"));
    CHECK_FALSE(is_script_for_sh(*this / "b/garbage"));
    CHECK_FALSE(is_script_for_sh(*this / "nothing"));
}

}  // namespace command_test
