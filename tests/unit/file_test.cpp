#include "base/file.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/errno_names.hpp"
#include "catch.hpp"

namespace file_test {

using namespace callcensus;

namespace {
struct Directory {
    std::filesystem::path root;
    Directory() {
        std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
        root = ::mkdtemp(name.data());
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(root); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (root / name).string(); }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(root), {}));
    }
};
mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode;
}
}  // namespace

TEST_CASE_METHOD(Directory, "a file is replaced whole and nothing is left beside it") {
    REQUIRE(replace_file(*this / "f", "one"));
    REQUIRE(replace_file(*this / "f", "two"));
    CHECK(read_file(*this / "f", 100).value() == "two");
    CHECK(entries() == 1);
}

TEST_CASE_METHOD(Directory, "an existing file's mode stays, a new one's follows the umask") {
    const mode_t before = ::umask(027);
    REQUIRE(replace_file(*this / "f", ""));
    CHECK((mode_of(*this / "f") & 07777) == 0640);
    ::chmod((*this / "f").c_str(), 0600);
    REQUIRE(replace_file(*this / "f", "x"));
    CHECK((mode_of(*this / "f") & 07777) == 0600);
    ::umask(before);
}

TEST_CASE_METHOD(Directory, "symbolic links stay links, also those to nothing yet") {
    std::filesystem::create_symlink("target", root / "link");
    REQUIRE(replace_file(*this / "link", "x"));
    CHECK(S_ISLNK(mode_of(*this / "link")));
    CHECK(read_file(*this / "target", 100).value() == "x");
}

TEST_CASE_METHOD(Directory, "devices are written to and not replaced") {
    REQUIRE(replace_file("/dev/null", "x"));
    CHECK(S_ISCHR(mode_of("/dev/null")));
    const auto full = replace_file("/dev/full", "x");
    REQUIRE_FALSE(full);
    CHECK(full.error().errnum == ENOSPC);
}

TEST_CASE_METHOD(Directory, "what cannot be replaced is found out beforehand and without a trace") {
    CHECK(check_replaceable(*this / "f"));
    CHECK(check_replaceable("/dev/null"));
    CHECK_FALSE(check_replaceable(root.string()));
    CHECK_FALSE(check_replaceable(*this / "no/such"));
    CHECK_FALSE(check_replaceable(""));
    REQUIRE(replace_file(*this / "f", ""));
    CHECK_FALSE(check_replaceable(*this / "f/g"));
    CHECK(entries() == 1);
}

TEST_CASE_METHOD(Directory, "two names of one file are recognised, also before it exists") {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(root);
    std::filesystem::create_symlink("f", "link");
    CHECK(are_same_file("f", "./f"));
    CHECK(are_same_file("f", *this / "f"));
    CHECK(are_same_file("f", "link"));
    CHECK_FALSE(are_same_file("f", "g"));
    std::filesystem::current_path(before);
}

TEST_CASE_METHOD(Directory, "reading has limits") {
    REQUIRE(replace_file(*this / "f", "12345"));
    CHECK(read_file(*this / "f", 5).value() == "12345");
    CHECK_FALSE(read_file(*this / "f", 4));
    CHECK_FALSE(read_file(root.string(), 100));
    CHECK(read_file(*this / "none", 100).error().errnum == ENOENT);
}

TEST_CASE("errno values have names, the kernel's own included") {
    CHECK(errno_name(ENOENT) == "ENOENT");
    CHECK(errno_name(512) == "ERESTARTSYS");
    CHECK(errno_name(999) == "E999");
    for (int number = 1; number <= 600; ++number) {
        CAPTURE(number);
        CHECK(errno_from_name(errno_name(number)) == number);
    }
    CHECK_FALSE(errno_from_name("ENOTHING").has_value());
    CHECK_FALSE(errno_from_name("E99999").has_value());
    CHECK_FALSE(errno_from_name("").has_value());
}

TEST_CASE_METHOD(Directory, "what a killed writer has left is removed, and what is not ours is left alone") {
    const std::string left = *this / ".f.callcensus-tmp";
    REQUIRE(replace_file(*this / "f", "one"));
    { std::ofstream(left) << "half"; }
    REQUIRE(replace_file(*this / "f", "two"));
    CHECK(read_file(*this / "f", 100).value() == "two");
    CHECK(entries() == 1);

    // Somebody's trap: what the link leads to is not touched, and the file is written all the same.
    { std::ofstream(*this / "precious") << "precious"; }
    std::filesystem::create_symlink("precious", left);
    REQUIRE(replace_file(*this / "f", "three"));
    CHECK(read_file(*this / "f", 100).value() == "three");
    CHECK(read_file(*this / "precious", 100).value() == "precious");
    CHECK(std::filesystem::is_symlink(left));
}

TEST_CASE_METHOD(Directory, "a file that may not become so large is an error and no death") {
    REQUIRE(replace_file(*this / "f", "one"));
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{1000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto done = replace_file(*this / "f", std::string(2000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    REQUIRE_FALSE(done);
    CHECK(done.error().errnum == EFBIG);
    CHECK(read_file(*this / "f", 100).value() == "one");
    CHECK(entries() == 1);
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGXFSZ) == 0);
}

}  // namespace file_test
