// Policies for minijail beside what formats_test.cpp has: constants, includes, and what only
// compile_seccomp_policy.py reads.
#include <map>

#include "callcensus/describe.hpp"
#include "callcensus/format.hpp"
#include "callcensus/meaning.hpp"
#include "catch.hpp"

namespace minijail_test {

using namespace callcensus;

namespace {

using Files = std::map<std::string, std::string>;

// Reads "p.policy", or what `name` calls it, with the other files beside it.
Result<Profile> read(const Files& files, const std::string& name = "p.policy",
                     std::vector<std::string>* notes = nullptr) {
    ReadContext context;
    context.source = name;
    context.abi = Abi::x86_64;
    context.include = [&](const std::string& path, const std::string&) -> Result<IncludedFile> {
        const auto found = files.find(path);
        if (found == files.end()) return fail("is not there", path);
        return IncludedFile{found->first, found->second};
    };
    context.tell = [&](const std::string& what, const std::string& where) {
        if (notes != nullptr) notes->push_back(where + ": " + what);
    };
    return read_profile(files.at(name), context);
}

std::string decision(const std::string& text, const std::string& call, Arguments arguments,
                     const std::string& name = "p.policy") {
    const auto profile = read({{name, text}}, name);
    if (!profile) FAIL(profile.error().text());
    Machine machine = this_machine();
    const Abi abi =
        profile->architectures.empty() ? Abi::x86_64 : find_abi_by_token(profile->architectures.front())->abi;
    machine.arch = std::string(info(info(abi).native).go_name);
    return describe(meaning_of(*profile, machine).value().decide(abi, call, arguments));
}

std::string error(const Files& files, const std::string& name = "p.policy") {
    const auto profile = read(files, name);
    REQUIRE_FALSE(profile);
    CHECK(profile.error().text().find('\n') == std::string::npos);
    return profile.error().text();
}

}  // namespace

TEST_CASE("a policy's constants are those of its ABI") {
    const std::string killed = "kills the process";
    CHECK(decision("madvise: arg2 == MADV_DONTNEED || arg2 == MADV_GUARD_INSTALL", "madvise", {0, 0, 4}) ==
          "allowed");
    CHECK(decision("fcntl: arg1 == F_DUPFD_CLOEXEC", "fcntl", {0, 1030}) == "allowed");
    CHECK(decision("ioctl: arg1 == FIONBIO", "ioctl", {0, 0x5421}) == "allowed");
    CHECK(decision("mmap: arg2 in ~PROT_EXEC", "mmap", {0, 0, 7}) == killed);
    CHECK(decision("mmap: arg2 in ~PROT_EXEC", "mmap", {0, 0, 3}) == "allowed");
    CHECK(decision("mmap: arg2 == PROT_READ|(PROT_WRITE | 0x8)", "mmap", {0, 0, 11}) == "allowed");
    CHECK(decision("ptrace: arg0 == -1", "ptrace", {~0ULL}) == "allowed");
    CHECK(decision("ptrace: arg0 == 0xffffffffffffffff", "ptrace", {~0ULL}) == "allowed");
    // The ABI is told by the name, the folder or our own comment.
    const std::string text = "openat: arg2 == O_DIRECTORY";
    CHECK(decision(text, "openat", {0, 0, 0x10000}) == "allowed");
    CHECK(decision(text, "openat", {0, 0, 0x4000}, "seccomp/aarch64/p.policy") == "allowed");
    CHECK(decision(text, "openat", {0, 0, 0x10000}, "seccomp/aarch64/p.policy") == killed);
    CHECK(decision(text, "openat", {0, 0, 0x4000}, "cat-seccomp-arm64.policy") == "allowed");
    CHECK(decision("\n# For aarch64 only.\n" + text, "openat", {0, 0, 0x4000}) == "allowed");
    CHECK(read({{"x86_64/p", text}}, "x86_64/p")->architectures ==
          std::vector<std::string>{"SCMP_ARCH_X86_64"});
    CHECK(read({{"p.policy", text}})->architectures.empty());

    CHECK(
        error({{"p.policy", "a: arg0 == MADV_DONTNED"}}) ==
        "p.policy:1:12: \"MADV_DONTNED\" is no number and no constant of x86_64; did you mean MADV_DONTNEED?");
    CHECK(error({{"arm/p", "a: arg0 == 0x100000000"}}, "arm/p") ==
          "arm/p:1:12: \"0x100000000\" has more than the 32 bits of an argument on arm");
    CHECK(error({{"p.policy", "a: arg0 == 18446744073709551616"}}).find("p.policy:1:12: ") == 0);
    CHECK(error({{"p.policy", "read: return 4096"}}) ==
          "p.policy:1:14: is no errno; it should look like EPERM or 1");
}

TEST_CASE("a policy includes others") {
    const auto calls = [](const Files& files) {
        const auto profile = read(files);
        if (!profile) FAIL(profile.error().text());
        std::string names;
        for (const Rule& rule : profile->rules) names += rule.names.front() + " ";
        return names;
    };
    CHECK(calls({{"p.policy", "read: 1\n@include ./a.policy # why\nwrite: 1\n@include ./a2"},
                 {"./a.policy", "open: 1\n@include /b"},
                 {"./a2", "close: 1"},
                 {"/b", "stat: arg0 == 1"}}) == "read open stat write close ");
    // A second line for a call adds to the first.
    const auto both = read({{"p.policy", "@include a\nioctl: arg1 == 2"}, {"a", "ioctl: arg1 == 1"}});
    REQUIRE(both);
    CHECK(both->rules.size() == 2);

    CHECK(error({{"p.policy", "read: 1\n@include ./a"}}) ==
          "p.policy:2:1: includes ./a, which cannot be read: ./a: is not there");
    CHECK(error({{"p.policy", "@include ./a"}, {"./a", "read: 1\nopen: what"}}).find("./a:2:7: ") == 0);
    CHECK(error({{"p.policy", "@include ./a"}, {"./a", "@include p.policy"}}) ==
          "./a:1:1: includes p.policy, which includes this file");
    CHECK(error({{"p.policy", "@include p.policy"}}).find("p.policy:1:1: includes p.policy, which") == 0);
    CHECK(error({{"p.policy", "@include"}}).find("names no file") != std::string::npos);
    CHECK(error({{"p.policy", "@include a b"}, {"a", ""}}).find("p.policy:1:12: ") == 0);
    Files chain{{"p.policy", "@include 0"}};
    for (int i = 0; i < 20; ++i) chain[std::to_string(i)] = "@include " + std::to_string(i + 1);
    CHECK(error(chain).find("ten levels deep") != std::string::npos);
    Files tree{{"p.policy", "@include 0"}, {"8", "read: 1"}};
    for (int i = 0; i < 8; ++i)
        for (int times = 0; times < 4; ++times)
            tree[std::to_string(i)] += "@include " + std::to_string(i + 1) + "\n";
    CHECK(error(tree).find("a policy has at most 1000") != std::string::npos);
    // Nobody reads files for a library's user who did not ask for that.
    CHECK_FALSE(read_profile("@include ./a", "p.policy"));

    std::vector<std::string> notes;
    REQUIRE(read({{"p.policy", "read: 1\n@frequency ./x.frequency\n"}}, "p.policy", &notes));
    CHECK(notes ==
          std::vector<std::string>{"p.policy:2:1: @frequency is passed over: it changes no decision"});
}

TEST_CASE("the lines for a call are asked in order") {
    const std::string killed = "kills the process";
    const std::string eperm = "denied with EPERM";
    // Conditions first, what is left to the line without one.
    const std::string text = "read: arg0 == 1\nread: arg0 == 2 || arg0 == 1\nread: return EPERM";
    CHECK(decision(text, "read", {1}) == "allowed");
    CHECK(decision(text, "read", {2}) == "allowed");
    CHECK(decision(text, "read", {3}) == eperm);
    CHECK(decision("read: arg0 == 1\nread: 1", "read", {3}) == "allowed");
    CHECK(decision("read: 1\nread: 1\nread: arg0 == 1", "read", {3}) == "allowed");
    CHECK(error({{"p.policy", "read: 1\nread: return EPERM"}}).find("p.policy:2:7: comes too late") == 0);

    // What only the compiler reads makes `; return` what happens where the condition holds.
    const std::string line = "read: arg0 == 1; return EPERM\n";
    CHECK(decision(line, "read", {1}) == "allowed");
    CHECK(decision(line, "read", {2}) == eperm);
    for (const std::string other :
         {"@default kill-process", "{write, open}: 1", "write: {arg0 == 1, arg0 == 2}",
          "write[arch=x86_64]: 1", "write: trap"}) {
        CAPTURE(other);
        for (const std::string& both : {line + other, other + "\n" + line}) {
            CHECK(decision(both, "read", {1}) == eperm);
            CHECK(decision(both, "read", {2}) == killed);
        }
    }
    const std::string braces =
        "{read, write}: { arg0 == 1; return EPERM, arg0 < 3, arg0 == 2; trap, return ENOSYS }\n";
    for (const std::string call : {"read", "write"}) {
        CHECK(decision(braces, call, {1}) == eperm);
        CHECK(decision(braces, call, {2}) == "allowed");
        CHECK(decision(braces, call, {4}) == "denied with ENOSYS");
    }
    CHECK(decision("open[arch=arm64,x86_64]: 1\nread[arch=arm]: 1", "open", {}) == "allowed");
    CHECK(decision("open[arch=arm64,x86_64]: 1\nread[arch=arm]: 1", "read", {}) == killed);
    for (const std::string wrong : {"{read: 1", "read: {1", "read: {arg0 == 1,}", "{}: 1", "read[arch: 1",
                                    "read[arch=x86_64: 1", "read@libc: 1\nopen: 1", "open: 1\n@unknown"})
        error({{"p.policy", wrong}});
}

}  // namespace minijail_test
