#include "container/hook_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "container/directory_lock.hpp"
#include "profiles.hpp"

namespace hook_files_test {

using namespace callcensus;

namespace {

using callcensus::testing::parse;
using callcensus::testing::profile;
using Names = std::vector<std::string>;
constexpr std::chrono::milliseconds longest_wait{5000};

Recording recording_of(const Names& names, const std::string& command = "/bin/tool") {
    Recording recording;
    recording.command = {command};
    recording.executables = {command};
    recording.processes.emplace_back();
    for (const std::string& name : names) {
        CallRecord record;
        record.call = {Abi::x86_64, syscall_number(Abi::x86_64, name).value()};
        record.count = 1;
        recording.calls.push_back(record);
    }
    return recording;
}

// The rules that speak of that call.
std::vector<Rule> rules_for(const Profile& profile, const std::string& call) {
    std::vector<Rule> rules;
    for (const Rule& rule : profile.rules)
        if (rule.speaks_of(call)) rules.push_back(rule);
    return rules;
}

struct Directory {
    std::array<char, 64> name{"/tmp/callcensus-unit-XXXXXX"};
    Directory() { REQUIRE(::mkdtemp(name.data()) != nullptr); }
    ~Directory() { std::filesystem::remove_all(name.data()); }
    [[nodiscard]] std::string file(const std::string& base) const {
        return std::string(name.data()) + "/" + base;
    }
};

HookRequest request_for(const Directory& directory) {
    HookRequest request;
    request.limits = {Asker::owner};
    request.output = directory.file("p.json");
    return request;
}

HookRequest request_of_stranger(const Directory& directory) {
    HookRequest request = request_for(directory);
    request.limits = {Asker::stranger, directory.name.data()};
    return request;
}

HookFiles prepared(const HookRequest& request) {
    auto files = HookFiles::prepare(request);
    if (!files) FAIL(files.error().text());
    return std::move(*files);
}

std::string content(const std::string& path) { return read_file(path, 1 << 20).value(); }
Profile profile_in(const std::string& path) { return read_profile(content(path), path).value(); }

void write(HookFiles& files, const Recording& recording) {
    for (const Error& error : files.write(recording, longest_wait)) FAIL(error.text());
}

std::string refusal(const HookRequest& request) {
    const auto files = HookFiles::prepare(request);
    return files ? "none" : files.error().text();
}

}  // namespace

TEST_CASE("a baseline's rules stay in order, and what it names stays as it says") {
    const Profile baseline = profile(R"(
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}})");
    const Profile grown = profile_of_container(recording_of({"mkdir", "socket", "mount", "getppid"}),
                                               baseline, RuntimeSet::any);
    REQUIRE(grown.rules.size() > 3);
    CHECK(std::vector<Rule>(grown.rules.begin(), grown.rules.begin() + 3) == baseline.rules);
    for (const char* name : {"mkdir", "socket", "mount"}) CHECK(rules_for(grown, name).size() == 1);
    CHECK(grown.rules[3].names == Names{"getppid"});
    CHECK(grown.rules[3].action == Action::allow);
}

TEST_CASE("a baseline's default becomes ERRNO, and the native architecture is added") {
    for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG", "SCMP_ACT_ERRNO"}) {
        INFO(action);
        const Profile baseline = as_baseline(parse(R"({"defaultAction": ")" + std::string(action) +
                                                   R"(", "architectures": ["SCMP_ARCH_X86"]})"));
        const Profile grown = profile_of_container(recording_of({"read"}), baseline, RuntimeSet::any);
        CHECK(grown.default_action == Action::errno_);
        CHECK(grown.architectures == Names{"SCMP_ARCH_X86", "SCMP_ARCH_X86_64"});
    }
    const Profile denied = as_baseline(profile(""));
    CHECK(denied.default_errno_ret == 38u);
}

TEST_CASE("a program of another ABI still leaves the native architecture to the runtime") {
    Recording recording;
    CallRecord record;
    record.call = {Abi::i386, 3};
    recording.calls.push_back(record);
    CHECK(profile_of_container(recording, std::nullopt, RuntimeSet::any).architectures ==
          Names{"SCMP_ARCH_X86", "SCMP_ARCH_X86_64"});
}

TEST_CASE("beside an archMap there are no architectures") {
    const Profile baseline = parse(R"({"defaultAction": "SCMP_ACT_ERRNO", "archMap":
        [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]})");
    const Profile grown = profile_of_container(recording_of({"read"}), baseline, RuntimeSet::any);
    CHECK(grown.architectures.empty());
    REQUIRE(grown.arch_map.size() == 2);
    CHECK(grown.arch_map[1].architecture == "SCMP_ARCH_X86_64");
}

TEST_CASE("of the baseline a file that is there gets what it does not name") {
    const Profile existing = profile(R"({"names": ["read", "mkdir"], "action": "SCMP_ACT_ALLOW"})");
    const Profile baseline = profile(R"(
        {"names": ["mkdir", "rmdir"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
        {"name": "read", "action": "SCMP_ACT_ERRNO"})");
    const auto grown = grown_from(existing, baseline);
    REQUIRE(grown);
    REQUIRE(grown->rules.size() == 4);
    CHECK(grown->rules[0] == existing.rules[0]);
    CHECK(grown->rules[1].names == Names{"rmdir"});
    CHECK(rules_for(*grown, "socket").size() == 2);
    CHECK(grown_from(grown, baseline) == grown);
    CHECK(grown_from(std::nullopt, baseline) == baseline);
    CHECK(grown_from(existing, std::nullopt) == existing);
    CHECK_FALSE(grown_from(std::nullopt, std::nullopt));
}

TEST_CASE("a run's own recording gives way to its longer one") {
    const Recording other = recording_of({"read"}, "other"), first = recording_of({"read"}, "ours");
    const Recording longer = recording_of({"read", "getppid"}, "ours");
    const auto merged = with_recording({other, first}, write_recording(first), longer);
    REQUIRE(merged.size() == 2);
    CHECK(merged[0].command == other.command);
    CHECK(write_recording(merged[1]) == write_recording(longer));
    CHECK(with_recording({other, first}, "", longer).size() == 3);
}

TEST_CASE("a run that is written twice, and a run after it") {
    const Directory directory;
    HookRequest request = request_for(directory);
    request.recording = directory.file("r.json");
    HookFiles files = prepared(request);
    write(files, recording_of({"getppid"}));
    const std::string first = content(request.output);
    write(files, recording_of({"getppid"}));
    CHECK(content(request.output) == first);
    write(files, recording_of({"getppid", "mkdir"}));
    const Profile grown = profile_in(request.output);
    for (const char* name : {"getppid", "mkdir"}) CHECK(rules_for(grown, name).size() == 1);
    CHECK(parse_recordings(content(request.recording), "r").value().size() == 1);

    HookFiles again = prepared(request);
    write(again, recording_of({"rmdir"}));
    for (const char* name : {"getppid", "mkdir", "rmdir"})
        CHECK(rules_for(profile_in(request.output), name).size() == 1);
    CHECK(parse_recordings(content(request.recording), "r").value().size() == 2);

    request.replace_existing = true;
    HookFiles anew = prepared(request);
    write(anew, recording_of({"getppid"}));
    CHECK(rules_for(profile_in(request.output), "rmdir").empty());
    CHECK(parse_recordings(content(request.recording), "r").value().size() == 1);
}

TEST_CASE("another format is written also where there is nothing new to say") {
    const Directory directory;
    HookRequest request = request_for(directory);
    HookFiles files = prepared(request);
    write(files, recording_of({"getppid"}));
    request.format = "spo";
    HookFiles again = prepared(request);
    write(again, recording_of({"getppid"}));
    CHECK(content(request.output).find("kind: SeccompProfile") != std::string::npos);
    CHECK(rules_for(profile_in(request.output), "getppid").size() == 1);
}

TEST_CASE("what is found out before the container starts") {
    const Directory directory;
    HookRequest request = request_for(directory);
    const auto error = [&](const HookRequest& asked) {
        const auto files = HookFiles::prepare(asked);
        if (files) FAIL("is accepted");
        return files.error().text();
    };
    SECTION("a baseline that is not there") {
        request.baseline = directory.file("b.json");
        CHECK(error(request) == "invalid annotation: error reading input file: " + request.baseline +
                                    ": cannot be opened: No such file or directory");
    }
    SECTION("a baseline that is none") {
        request.baseline = directory.file("b.json");
        REQUIRE(replace_file(request.baseline, "{"));
        CHECK(error(request).rfind(
                  "invalid annotation: error parsing input file: " + request.baseline + ":1:", 0) == 0);
    }
    SECTION("an output that is something else, and that is empty") {
        REQUIRE(replace_file(request.output, "hello"));
        CHECK(error(request).rfind(request.output + ": is none of what is read", 0) == 0);
        request.replace_existing = true;
        CHECK(HookFiles::prepare(request).has_value());
        request.replace_existing = false;
        REQUIRE(replace_file(request.output, ""));
        CHECK(HookFiles::prepare(request).has_value());
    }
    SECTION("an output that cannot be written") {
        request.output = directory.file("not/there.json");
        CHECK(error(request).find("its directory does not exist") != std::string::npos);
        request.output = "/dev/null";
        CHECK(error(request).find("is no file") != std::string::npos);
    }
    SECTION("a recording that is a profile") {
        request.recording = directory.file("r.json");
        REQUIRE(replace_file(request.recording, R"({"defaultAction": "SCMP_ACT_ERRNO"})"));
        CHECK(error(request).rfind(request.recording, 0) == 0);
        request.recording = request.output;
        CHECK(error(request).find("as the recording and as the profile") != std::string::npos);
    }
    SECTION("a baseline that the format cannot say") {
        request.baseline = directory.file("b.json");
        REQUIRE(replace_file(request.baseline, write_profile(profile(R"({"names": ["socket"],
            "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}})"))));
        request.format = "minijail";
        CHECK(error(request).find("cannot be extended as minijail, which lacks ") != std::string::npos);
        request.format = "docker";
        CHECK(HookFiles::prepare(request).has_value());
    }
}

TEST_CASE("the format is that of the file that is there") {
    const Directory directory;
    HookRequest request = request_for(directory);
    request.format = "spo";
    HookFiles files = prepared(request);
    write(files, recording_of({"getppid"}));
    CHECK(content(request.output).find("kind: SeccompProfile") != std::string::npos);
    request.format.clear();
    HookFiles again = prepared(request);
    write(again, recording_of({"mkdir"}));
    CHECK(content(request.output).find("kind: SeccompProfile") != std::string::npos);
    for (const char* name : {"getppid", "mkdir"})
        CHECK(rules_for(profile_in(request.output), name).size() == 1);
}

TEST_CASE("what one run writes again and again stays one rule") {
    const Directory directory;
    const HookRequest request = request_for(directory);
    HookFiles first = prepared(request);
    write(first, recording_of({"read"}));
    HookFiles second = prepared(request);
    write(second, recording_of({"read", "mkdir"}));
    write(second, recording_of({"read", "mkdir", "rmdir"}));
    const auto text = read_file(request.output, 1 << 20);
    REQUIRE(text);
    const Profile grown = parse(*text);
    REQUIRE(rules_for(grown, "mkdir").size() == 1);
    CHECK(rules_for(grown, "mkdir").front().names == Names{"mkdir", "rmdir"});
    CHECK(rules_for(grown, "read").front().names == Names{"read"});
    // Somebody else's writing in between is kept.
    HookFiles third = prepared(request);
    write(third, recording_of({"sync"}));
    write(second, recording_of({"read", "mkdir", "rmdir", "chroot"}));
    const Profile shared = parse(*read_file(request.output, 1 << 20));
    for (const char* const name : {"read", "mkdir", "rmdir", "sync", "chroot"})
        CHECK(rules_for(shared, name).size() == 1);
}

TEST_CASE("many that write at once lose nothing") {
    const Directory directory;
    HookRequest request = request_for(directory);
    request.recording = directory.file("r.json");
    const Names names{"getppid", "mkdir", "rmdir", "socket", "mount", "umount2", "sync", "acct"};
    std::vector<pid_t> children;
    for (const std::string& name : names) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto files = HookFiles::prepare(request);
            const bool written = files && files->write(recording_of({name}, name), longest_wait).empty();
            ::_exit(written ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    for (const std::string& name : names) CHECK(rules_for(profile_in(request.output), name).size() == 1);
    CHECK(parse_recordings(content(request.recording), "r").value().size() == names.size());
    CHECK(std::distance(std::filesystem::directory_iterator(directory.name.data()), {}) == 2);
}

TEST_CASE("strangers' files are below their directory, and no link leads there") {
    const Directory directory, elsewhere;
    HookRequest request = request_of_stranger(directory);
    CHECK(refusal(request) == "none");
    std::filesystem::create_directory(directory.file("sub"));
    std::filesystem::create_directory_symlink(elsewhere.name.data(), directory.file("link"));
    std::filesystem::create_directory_symlink(directory.name.data(), elsewhere.file("same"));
    std::filesystem::create_symlink(elsewhere.file("p.json"), directory.file("to-be"));
    for (const std::string& inside : {directory.file("sub/p.json"), directory.file("./sub//../sub/p.json")}) {
        request.output = inside;
        CHECK(refusal(request) == "none");
    }
    for (const std::string& outside :
         {elsewhere.file("p.json"), directory.file("../p.json"), directory.file("sub/../../p.json"),
          std::string(directory.name.data()), std::string(directory.name.data()) + "x/p.json",
          directory.file("link/p.json"), directory.file("sub/"), std::string("/proc/self/cwd/p.json"),
          directory.file("no/p.json")}) {
        INFO(outside);
        request = request_of_stranger(directory);
        request.output = outside;
        CHECK(refusal(request) != "none");
        request = request_of_stranger(directory);
        request.recording = outside;
        CHECK(refusal(request) != "none");
        request = request_of_stranger(directory);
        request.baseline = outside;
        CHECK(refusal(request) != "none");
    }
    // The directory is the administrator's, who may have made a link of it, or end it with a slash.
    request = request_of_stranger(directory);
    for (const std::string& named : {elsewhere.file("same"), std::string(directory.name.data()) + "/"}) {
        request.limits.directory = named;
        CHECK(refusal(request) == "none");
    }
    // A link where the file is to be is another's file.
    request = request_of_stranger(directory);
    request.output = directory.file("to-be");
    HookFiles files = prepared(request);
    write(files, recording_of({"read"}));
    CHECK_FALSE(std::filesystem::exists(elsewhere.file("p.json")));
    CHECK(std::filesystem::exists(directory.file("to-be.2")));
}

TEST_CASE("strangers are not told what is in a file") {
    const Directory directory, elsewhere;
    HookRequest request = request_of_stranger(directory);
    REQUIRE(replace_file(elsewhere.file("secret"), "root:x:0:0"));
    REQUIRE(replace_file(directory.file("secret"), "root:x:0:0"));
    request.baseline = elsewhere.file("secret");
    CHECK(refusal(request).find("below") != std::string::npos);
    request.baseline = directory.file("secret");
    CHECK(refusal(request) ==
          "invalid annotation: " + request.baseline + ": error parsing input file: is no profile");
    request.baseline = directory.file("link");
    std::filesystem::create_hard_link(elsewhere.file("secret"), request.baseline);
    CHECK(refusal(request).find("another name") != std::string::npos);
}

TEST_CASE("a container that a stranger started changes no file that is there") {
    const Directory directory;
    HookRequest request = request_of_stranger(directory);
    request.recording = directory.file("r.json");
    HookFiles first = prepared(request);
    write(first, recording_of({"read"}));
    CHECK(first.notes().empty());
    const std::string profile = content(request.output), recording = content(request.recording);
    // Its own file grows with what it does.
    write(first, recording_of({"read", "rmdir"}));
    CHECK(rules_for(profile_in(request.output), "rmdir").size() == 1);
    const std::string longer = content(request.output);
    HookFiles second = prepared(request);
    write(second, recording_of({"mount"}));
    REQUIRE(second.notes().size() == 2);
    CHECK(second.notes()[0].find(directory.file("p.2.json")) != std::string::npos);
    CHECK(content(request.output) == longer);
    CHECK(rules_for(profile_in(directory.file("p.2.json")), "mount").size() == 1);
    CHECK(rules_for(profile_in(directory.file("p.2.json")), "rmdir").empty());
    write(second, recording_of({"mount", "sync"}));
    CHECK(rules_for(profile_in(directory.file("p.2.json")), "sync").size() == 1);
    CHECK_FALSE(std::filesystem::exists(directory.file("p.3.json")));
    // What is there already is not said again.
    HookFiles third = prepared(request);
    write(third, recording_of({"mount", "sync"}));
    CHECK_FALSE(std::filesystem::exists(directory.file("p.3.json")));
    CHECK(parse_recordings(content(directory.file("r.json")), "r").value().size() == 1);
}

TEST_CASE("a named pipe in the place of a file keeps nobody waiting") {
    const Directory directory;
    HookRequest request = request_for(directory);
    request.baseline = directory.file("pipe");
    REQUIRE(::mkfifo(request.baseline.c_str(), 0666) == 0);
    CHECK(refusal(request).find("is no regular file") != std::string::npos);
    request.baseline.clear();
    HookFiles files = prepared(request);
    REQUIRE(::mkfifo(request.output.c_str(), 0666) == 0);
    CHECK(files.write(recording_of({"read"}), longest_wait).size() == 1);
}

TEST_CASE("whoever locks the directory holds up nobody") {
    const Directory directory;
    const UniqueFd theirs(::open(directory.name.data(), O_RDONLY));
    REQUIRE(::flock(theirs.get(), LOCK_EX) == 0);
    const auto begin = std::chrono::steady_clock::now();
    HookFiles files = prepared(request_for(directory));
    write(files, recording_of({"read"}));
    if (::geteuid() == 0) {  // who has a place for locks of his own
        CHECK(std::chrono::steady_clock::now() - begin < longest_wait);
        CHECK(files.notes().empty());
    }
}

TEST_CASE("what cannot be locked in time is written beside, with all that was there") {
    const Directory directory;
    const HookRequest request = request_for(directory);
    HookFiles other = prepared(request);
    write(other, recording_of({"getppid"}));
    HookFiles files = prepared(request);
    const UniqueFd open(::open(directory.name.data(), O_PATH));
    using Clock = DirectoryLock::Clock;
    auto lock = DirectoryLock::of(open.get(), Clock::time_point::min(), "d").value();
    REQUIRE(lock);
    const auto begin = Clock::now();
    CHECK_FALSE(DirectoryLock::of(open.get(), Clock::time_point::min(), "d")->has_value());
    CHECK_FALSE(DirectoryLock::of(open.get(), begin + std::chrono::milliseconds(50), "d")->has_value());
    CHECK(Clock::now() - begin >= std::chrono::milliseconds(50));

    const std::string before = content(request.output);
    CHECK(files.write(recording_of({"mkdir"}), std::chrono::milliseconds(0)).size() == 1);
    CHECK_FALSE(std::filesystem::exists(directory.file("p.2.json")));
    CHECK(files.write(recording_of({"mkdir"}), std::chrono::milliseconds(50)).empty());
    CHECK(Clock::now() - begin < longest_wait);
    CHECK(content(request.output) == before);
    REQUIRE(files.notes().size() == 1);
    CHECK(files.notes()[0].find("p.2.json") != std::string::npos);
    for (const char* name : {"getppid", "mkdir"})
        CHECK(rules_for(profile_in(directory.file("p.2.json")), name).size() == 1);

    lock.reset();
    write(files, recording_of({"mkdir", "rmdir"}));
    CHECK(rules_for(profile_in(request.output), "rmdir").size() == 1);
}

TEST_CASE("who waits for a lock has it as soon as it is given up") {
    const Directory directory;
    const UniqueFd open(::open(directory.name.data(), O_PATH));
    using Clock = DirectoryLock::Clock;
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = DirectoryLock::of(open.get(), Clock::time_point::min(), "d");
        ::usleep(300'000);
        ::_exit(lock && *lock ? 0 : 1);
    }
    ::usleep(100'000);
    const auto begin = Clock::now();
    CHECK(DirectoryLock::of(open.get(), begin + std::chrono::seconds(30), "d")->has_value());
    CHECK(Clock::now() - begin < std::chrono::seconds(20));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

}  // namespace hook_files_test
