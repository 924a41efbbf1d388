#include "callcensus/call_text.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <set>

#include "callcensus/risk.hpp"
#include "catch.hpp"
#include "record/call_signatures.hpp"
#include "record/constants.hpp"

namespace call_text_test {

using namespace callcensus;

namespace {

using Six = std::array<std::uint64_t, 6>;

// Each piece of memory ends where its text does.
TargetView view_of(std::map<std::uint64_t, std::string> memory, std::map<int, std::string> fds = {}) {
    return {[memory](std::uint64_t address, std::size_t size) {
                const auto piece = memory.find(address);
                return piece == memory.end() ? std::string() : piece->second.substr(0, size);
            },
            [fds](int fd) {
                const auto path = fds.find(fd);
                return path == fds.end() ? std::string() : path->second;
            }};
}

std::string text(std::string_view name, Six arguments, const TargetView& view = {}, Abi abi = Abi::x86_64) {
    return call_text({abi, syscall_number(abi, name).value()}, arguments, view);
}

std::string with_end(std::string path) { return path + '\0'; }

template <class Structure>
std::string bytes_of(const Structure& structure) {
    return {reinterpret_cast<const char*>(&structure), sizeof structure};
}

constexpr std::uint64_t in_cwd = static_cast<std::uint32_t>(AT_FDCWD);

}  // namespace

TEST_CASE("call_text decodes paths, descriptors and flags") {
    const TargetView view = view_of({{0x1000, with_end("/etc/passwd")}}, {{3, "/run"}, {4, "socket:[123]"}});
    CHECK(text("openat", {in_cwd, 0x1000, O_CLOEXEC, 0666}, view) ==
          "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC)");
    CHECK(text("openat", {3, 0x1000, O_WRONLY | O_CREAT | O_EXCL, 0644}, view) ==
          "openat(3</run>, \"/etc/passwd\", O_WRONLY|O_CREAT|O_EXCL, 0644)");
    CHECK(text("open", {0x1000, O_RDWR | O_TMPFILE, 0600}, view) ==
          "open(\"/etc/passwd\", O_RDWR|O_TMPFILE, 0600)");
    CHECK(text("read", {4, 0x2000, 10}, view) == "read(4<socket:[123]>, 0x2000, 10)");
    CHECK(text("close", {9}, view) == "close(9)");
    CHECK(text("mmap", {0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL, 0}, view) ==
          "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)");
    CHECK(text("mprotect", {0x1000, 4096, 0}) == "mprotect(0x1000, 4096, PROT_NONE)");
    CHECK(text("socket", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}) ==
          "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0)");
    CHECK(text("kill", {123, 15}) == "kill(123, SIGTERM)");
    CHECK(text("kill", {~0ULL, 34}) == "kill(-1, 34)");
    CHECK(text("clone", {CLONE_VM | CLONE_VFORK | SIGCHLD, 0x7000}) ==
          "clone(SIGCHLD|CLONE_VM|CLONE_VFORK, 0x7000, NULL, NULL, NULL)");
    CHECK(text("clone", {CLONE_NEWUSER}) == "clone(CLONE_NEWUSER, NULL, NULL, NULL, NULL)");
    CHECK(text("access", {0x1000, 0}, view) == "access(\"/etc/passwd\", F_OK)");
    CHECK(text("getpid", {1, 2, 3}) == "getpid()");
    CHECK(text("prctl", {38, 1}) == "prctl(PR_SET_NO_NEW_PRIVS, 0x1, 0, 0, 0)");
    CHECK(text("futex", {0x10, 128, 2}) == "futex(0x10, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 2, 0, NULL, 0)");
    CHECK(text("personality", {0xffffffff}) == "personality(0xff|0xffffff00)");
    CHECK(text("sethostname", {0x1000, 4}, view) == "sethostname(\"/etc\", 4)");
}

TEST_CASE("call_text shows what it does not know as numbers") {
    CHECK(call_text({Abi::x86_64, 999}, {1, 2, 0, 4, 5, ~0ULL}, {}) ==
          "number 999(0x1, 0x2, 0, 0x4, 0x5, 0xffffffffffffffff)");
    CHECK(text("openat", {in_cwd, 0x1000, O_CLOEXEC | 0x40000000}) ==
          "openat(AT_FDCWD, 0x1000, O_RDONLY|O_CLOEXEC|0x40000000)");
    CHECK(text("madvise", {0, 1, 77}) == "madvise(NULL, 1, 0x4d)");
    CHECK(text("open", {0, O_ACCMODE}) == "open(NULL, 0x3)");
    // The kernel does not look at the upper half of an int, and does at that of a long.
    CHECK(text("open", {0, 0x500000000}) == "open(NULL, O_RDONLY)");
    CHECK(text("mprotect", {0, 1, 0x100000001}) == "mprotect(NULL, 1, PROT_READ|0x100000000)");
}

TEST_CASE("call_text decodes addresses of sockets") {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::strcpy(local.sun_path, "/run/x");
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(80);
    inet.sin_addr.s_addr = htonl(0x7f000001);
    sockaddr_in6 inet6{};
    inet6.sin6_family = AF_INET6;
    inet6.sin6_port = htons(443);
    inet6.sin6_addr = in6addr_loopback;
    sockaddr_un abstract{};
    abstract.sun_family = AF_UNIX;
    std::strcpy(abstract.sun_path + 1, "dbus");
    const sa_family_t netlink = AF_NETLINK;
    const TargetView view = view_of({{0x10, bytes_of(local)},
                                     {0x20, bytes_of(inet)},
                                     {0x30, bytes_of(inet6)},
                                     {0x40, bytes_of(abstract)},
                                     {0x50, bytes_of(netlink) + std::string(10, '\0')},
                                     {0x60, "\2"},
                                     {0x70, bytes_of(inet).substr(0, 7)}},
                                    {{3, "/run/sock"}});
    CHECK(text("connect", {3, 0x10, 110}, view) == "connect(3</run/sock>, {AF_UNIX \"/run/x\"}, 110)");
    CHECK(text("connect", {5, 0x20, 16}, view) == "connect(5, {AF_INET 127.0.0.1:80}, 16)");
    CHECK(text("bind", {5, 0x30, 28}, view) == "bind(5, {AF_INET6 [::1]:443}, 28)");
    CHECK(text("bind", {5, 0x40, 7}, view) == "bind(5, {AF_UNIX @\"dbus\"}, 7)");
    CHECK(text("bind", {5, 0x40, 2}, view) == "bind(5, {AF_UNIX}, 2)");
    CHECK(text("bind", {5, 0x50, 12}, view) == "bind(5, {AF_NETLINK}, 12)");
    CHECK(text("bind", {5, 0x60, 16}, view) == "bind(5, 0x60, 16)");
    CHECK(text("bind", {5, 0x70, 16}, view) == "bind(5, {AF_INET}, 16)");
    CHECK(text("bind", {5, 0, 0}, view) == "bind(5, NULL, 0)");
    CHECK(text("sendto", {5, 0x99, 4, MSG_NOSIGNAL, 0x20, 16}, view) ==
          "sendto(5, 0x99, 4, MSG_NOSIGNAL, {AF_INET 127.0.0.1:80}, 16)");
}

TEST_CASE("call_text looks into clone3's structure") {
    const std::array<std::uint64_t, 8> arguments{CLONE_NEWUSER | 1ULL << 33, 0, 0, 0, 17, 0, 0, 0};
    const TargetView view = view_of({{0x10, bytes_of(arguments)}, {0x20, "short"}});
    CHECK(text("clone3", {0x10, 64}, view) ==
          "clone3({flags=CLONE_INTO_CGROUP|CLONE_NEWUSER, exit_signal=SIGCHLD}, 64)");
    CHECK(text("clone3", {0x20, 64}, view) == "clone3(0x20, 64)");
}

TEST_CASE("call_text keeps to one line of bearable length") {
    const std::string line = with_end("a\"b\\c\n\x1b[31m");
    const std::string long_path(255, 'x');
    const TargetView view =
        view_of({{0x10, line}, {0x20, with_end(long_path)}, {0x30, std::string(4096, 'y')}},
                {{7, "/deep" + std::string(3000, 'z')}});
    CHECK(text("unlink", {0x10}, view) == R"(unlink("a\"b\\c\x0a\x1b[31m"))");
    CHECK(text("unlink", {0x20}, view) == "unlink(\"" + long_path + "\")");
    CHECK(text("unlink", {0x30}, view) == "unlink(\"" + std::string(256, 'y') + "\"...)");
    CHECK(text("rename", {0x20, 0x30}, view) ==
          "rename(\"" + std::string(64, 'x') + "\"..., \"" + std::string(64, 'y') + "\"...)");
    CHECK(text("close", {7}, view) == "close(7<..." + std::string(256, 'z') + ">)");
}

TEST_CASE("call_text follows the ABI of the call") {
    CHECK(text("openat", {in_cwd, 0xffffffff00001000, 0xf00000000}, view_of({{0x1000, with_end("/x")}}),
               Abi::i386) == "openat(AT_FDCWD, \"/x\", O_RDONLY)");
    CHECK(text("mmap", {0xff00}, {}, Abi::i386) == "mmap(0xff00)");
    CHECK(text("mmap2", {0, 4096, PROT_READ, MAP_PRIVATE, 0xffffffff, 1}, {}, Abi::i386) ==
          "mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0x1)");
    CHECK(text("lseek", {1, 0xffffffff, 2}, {}, Abi::i386) == "lseek(1, -1, SEEK_END)");
    CHECK(text("lseek", {1, 0xffffffff, 2}, {}, Abi::x32) == "lseek(1, 4294967295, SEEK_END)");
    CHECK(text("pread64", {1, 0x10, 2, 3, 4}, {}, Abi::i386) == "pread64(1, 0x10, 2, 0x3, 0x4)");
}

TEST_CASE("call_text shows every call of which it knows the arguments") {
    std::size_t known = 0;
    for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
        for (const std::string& name : all_syscall_names()) {
            if (!syscall_number(abi, name) || find_signature(abi, name) == nullptr) continue;
            const std::string shown = text(name, {1, 2, 3, 4, 5, 6}, {}, abi);
            CAPTURE(shown);
            CHECK(shown.find('?') == std::string::npos);
            ++known;
        }
    CHECK(known > 800);
}

TEST_CASE("call_text knows the risky calls") {
    // Have numbers, but were never implemented; or only other CPUs have them.
    const std::set<std::string_view> without{"afs_syscall", "break", "ftime",   "getpmsg", "gtty",
                                             "lock",        "mpx",   "prof",    "profil",  "putpmsg",
                                             "security",    "stty",  "tuxcall", "ulimit",  "vserver"};
    std::size_t known = 0;
    for (const Abi abi : {Abi::x86_64, Abi::i386, Abi::x32})
        for (const RiskyCall& call : all_risky_calls()) {
            if (!syscall_number(abi, call.name) || without.count(call.name) != 0) continue;
            CAPTURE(call.name, info(abi).id);
            CHECK(find_signature(abi, call.name) != nullptr);
            ++known;
        }
    CHECK(known > 150);
}

TEST_CASE("call_text reads from a process up to what cannot be read, and survives its end") {
    // Two pages, of which the second is taken away: a path at the end of the first must still be read.
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    auto* pages = static_cast<char*>(
        ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(pages != MAP_FAILED);
    REQUIRE(::munmap(pages + page, page) == 0);
    char* path = pages + page - 4;
    std::memcpy(path, "/ab", 4);
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) ::pause();
    }
    REQUIRE(child > 0);
    SyscallSeen seen;
    seen.task.tid = child;
    seen.call = {Abi::x86_64, syscall_number(Abi::x86_64, "openat").value()};
    seen.arguments = {in_cwd, reinterpret_cast<std::uint64_t>(path), 0};
    const std::string alive = call_text(seen);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    seen.task.tid = ::getpid();
    seen.arguments[0] = static_cast<std::uint64_t>(null);
    const std::string own = call_text(seen);
    ::close(null);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    seen.task.tid = child;
    seen.arguments[0] = 0;
    CHECK(alive == "openat(AT_FDCWD, \"/ab\", O_RDONLY)");
    CHECK(own == "openat(" + std::to_string(null) + "</dev/null>, \"/ab\", O_RDONLY)");
    CHECK(call_text(seen) == "openat(0, " + hexadecimal(seen.arguments[1]) + ", O_RDONLY)");
    ::munmap(pages, page);
}

}  // namespace call_text_test
