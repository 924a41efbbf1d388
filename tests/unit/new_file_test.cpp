#include "base/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/salvage.hpp"
#include "catch.hpp"

namespace new_file_test {

using namespace callcensus;

namespace {

struct Shared {
    std::filesystem::path root;
    UniqueFd fd;
    Shared() {
        std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
        root = ::mkdtemp(name.data());
        fd = open_directory(root);
    }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { std::filesystem::remove_all(root); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (root / name).string(); }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(root), {}));
    }
    [[nodiscard]] auto read(const std::string& name, Accept accept = Accept::sole) const {
        return read_entry(fd.get(), name, 100, accept, name);
    }
};

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode;
}

}  // namespace

TEST_CASE_METHOD(Shared, "a new file takes the place of nothing, and no link leads it elsewhere") {
    CHECK(create_file(fd.get(), "f", "one", 0600, "f").value());
    CHECK((mode_of(*this / "f") & 07777) == 0600);
    CHECK_FALSE(create_file(fd.get(), "f", "two", 0600, "f").value());
    CHECK(read("f")->value() == "one");
    std::filesystem::create_symlink("target", root / "link");
    CHECK_FALSE(create_file(fd.get(), "link", "x", 0600, "link").value());
    CHECK_FALSE(std::filesystem::exists(root / "target"));
    CHECK(entries() == 2);
    CHECK_FALSE(create_file(fd.get(), "no/such", "x", 0600, "no/such"));
}

TEST_CASE_METHOD(Shared, "an entry is replaced itself, be it a link") {
    std::filesystem::create_symlink("target", root / "link");
    REQUIRE(replace_entry(fd.get(), "link", "x", "link"));
    CHECK(S_ISREG(mode_of(*this / "link")));
    CHECK(read("link")->value() == "x");
    CHECK_FALSE(std::filesystem::exists(root / "target"));
    CHECK(entries() == 1);
}

TEST_CASE_METHOD(Shared, "an entry is read where it is a file and nothing else") {
    CHECK_FALSE(read("none")->has_value());
    REQUIRE(replace_file(*this / "f", "x"));
    std::filesystem::create_symlink("f", root / "link");
    CHECK(read("link").error().message.find("symbolic link") != std::string::npos);
    REQUIRE(::mkfifo((*this / "pipe").c_str(), 0600) == 0);  // nobody ever writes to it
    CHECK(read("pipe").error().message == "is no regular file");
    std::filesystem::create_directory(root / "directory");
    CHECK_FALSE(read("directory"));
    std::filesystem::create_hard_link(root / "f", root / "other");
    CHECK_FALSE(read("f"));
    CHECK(read("f", Accept::not_planted)->value() == "x");
}

TEST_CASE_METHOD(Shared,
                 "what is salvaged is readable to its owner alone, and its name is nobody's to take") {
    const std::string first = salvage("text", *this / "p.json");
    CHECK(first == *this / ("callcensus-" + std::to_string(::getpid()) + ".recording.json"));
    CHECK((mode_of(first) & 07777) == 0600);
    CHECK(read_file(first, 100) == "text");
    const std::string second = salvage("text", *this / "p.json");
    CHECK(second != first);
    CHECK(std::filesystem::path(second).parent_path() == root);
    // Where everybody may make files.
    std::filesystem::remove(first);
    ::chmod(root.c_str(), 01777);
    CHECK(salvage("text", *this / "p.json") != first);
}

TEST_CASE_METHOD(Shared, "a link that another user has put into a directory like /tmp leads nowhere") {
    if (::geteuid() != 0) return;  // only root can give a link away
    std::filesystem::create_symlink("target", root / "link");
    REQUIRE(::lchown((*this / "link").c_str(), 65534, 65534) == 0);
    CHECK(behind_links(*this / "link") == *this / "target");
    ::chmod(root.c_str(), 01777);
    CHECK(behind_links(*this / "link") == *this / "link");
    REQUIRE(::lchown((*this / "link").c_str(), 0, 0) == 0);
    CHECK(behind_links(*this / "link") == *this / "target");
}

}  // namespace new_file_test
