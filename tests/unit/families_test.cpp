#include "callcensus/families.hpp"

#include <algorithm>
#include <set>

#include "callcensus/risk.hpp"
#include "catch.hpp"

namespace families_test {

using namespace callcensus;

namespace {

using Names = std::vector<std::string>;

bool exists(std::string_view name) {
    return std::any_of(all_abis().begin(), all_abis().end(),
                       [&](const AbiInfo& row) { return syscall_number(row.abi, name).has_value(); });
}

std::set<std::string> added(const std::set<std::string>& observed, const std::set<Abi>& abis) {
    std::set<std::string> names;
    for (const Siblings& row : siblings(observed, abis)) names.insert(row.names.begin(), row.names.end());
    return names;
}

const std::set<Abi> x86_64{Abi::x86_64}, i386{Abi::i386}, aarch64{Abi::aarch64};

}  // namespace

TEST_CASE("families are made of known calls, each once, with a reason and a source") {
    std::set<std::vector<std::string_view>> seen;
    for (const Family& family : all_families()) {
        CAPTURE(family.names);
        CHECK(seen.insert(family.names).second);
        for (const auto* list : {&family.names, &family.siblings}) {
            const std::set<std::string_view> unique(list->begin(), list->end());
            CHECK(unique.size() == list->size());
            CHECK_FALSE(list->empty());
            for (const std::string_view name : *list) {
                CAPTURE(name);
                CHECK(exists(name));
            }
        }
        std::set<std::string_view> all(family.names.begin(), family.names.end());
        all.insert(family.siblings.begin(), family.siblings.end());
        CHECK(all.size() >= 2);
        CHECK_FALSE(family.reason.empty());
        CHECK(family.reason.size() <= 140);
        CHECK(family.reason.find('\n') == std::string_view::npos);
        CHECK_FALSE(family.source.empty());
    }
    CHECK(seen.size() > 60);
}

TEST_CASE("every family has something to add on some ABI") {
    for (const Family& family : all_families()) {
        CAPTURE(family.names);
        CHECK(std::any_of(all_abis().begin(), all_abis().end(), [&](const AbiInfo& row) {
            return std::any_of(family.names.begin(), family.names.end(), [&](std::string_view name) {
                const auto rows = siblings({std::string(name)}, {row.abi});
                return syscall_number(row.abi, name) &&
                       std::any_of(rows.begin(), rows.end(),
                                   [&](const Siblings& found) { return found.reason == family.reason; });
            });
        }));
    }
}

TEST_CASE("no family adds a call that is dangerous or that Docker's default profile withholds") {
    // clone3 is what clone is, without a filter's look at the flags; the others set the clock as one another
    // do.
    const std::set<std::string_view> with_capability{"clone3", "clock_settime", "clock_settime64",
                                                     "settimeofday", "stime"};
    for (const Family& family : all_families())
        for (const std::string_view name : family.siblings) {
            CAPTURE(name);
            CHECK(risk_of(name).cls < RiskClass::withheld);
            CHECK((risk_of(name).cls == RiskClass::ordinary || with_capability.count(name) == 1));
        }
}

TEST_CASE("what one libc calls leads to what another was measured to call") {
    struct Measured {
        const char* glibc;
        const char* musl;
    };
    for (const Measured& row : {Measured{"pselect6", "select"},
                                {"clock_nanosleep", "nanosleep"},
                                {"newfstatat", "fstat"},
                                {"newfstatat", "lstat"},
                                {"pipe2", "pipe"},
                                {"epoll_create", "epoll_create1"},
                                {"epoll_wait", "epoll_pwait"},
                                {"inotify_init", "inotify_init1"},
                                {"clock_adjtime", "adjtimex"},
                                {"semtimedop", "semop"},
                                {"chmod", "fchmodat"},
                                {"creat", "open"},
                                {"openat", "open"},
                                {"getpgrp", "getpgid"},
                                {"clone", "fork"},
                                {"clone3", "clone"},
                                {"write", "writev"},
                                {"read", "readv"},
                                {"tgkill", "tkill"}}) {
        CAPTURE(row.glibc, row.musl);
        CHECK(added({row.glibc}, x86_64).count(row.musl) == 1);
        CHECK(added({row.musl}, x86_64).count(row.glibc) == 1);
    }
    // glibc 2.36 on i386 against x86_64's names for the same functions.
    for (const Measured& row : {Measured{"statx", "fstat"},
                                {"ugetrlimit", "prlimit64"},
                                {"clock_adjtime64", "adjtimex"},
                                {"chown32", "chown"},
                                {"_llseek", "lseek"},
                                {"fcntl64", "fcntl"}}) {
        CAPTURE(row.glibc, row.musl);
        CHECK(added({row.musl}, i386).count(row.glibc) == 1);
        CHECK(added({row.glibc}, i386).count(row.musl) == 1);
    }
}

TEST_CASE("siblings exist on the ABIs, were not observed, and come with what they stand for") {
    const auto rows = siblings({"access", "faccessat", "getpid"}, x86_64);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].names == Names{"faccessat2"});
    CHECK(rows[0].of == Names{"access", "faccessat"});
    CHECK(rows[0].reason == families_of("access").at(0)->reason);

    CHECK(added({"futex"}, x86_64).empty());
    CHECK(added({"futex"}, i386) == std::set<std::string>{"futex_time64"});
    CHECK(added({"futex"}, {Abi::x86_64, Abi::i386}) == std::set<std::string>{"futex_time64"});
    CHECK(added({"openat"}, aarch64) == std::set<std::string>{"openat2"});
    CHECK(added({"getpid", "no_such_call", "mount"}, i386).empty());
    CHECK(added({"access"}, {}).empty());
    CHECK(siblings({}, x86_64).empty());
}

TEST_CASE("families with the same reason give one row") {
    const auto rows = siblings({"mkdir", "symlink"}, x86_64);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].names == Names{"mkdirat", "symlinkat"});
    CHECK(rows[0].of == Names{"mkdir", "symlink"});
    std::set<std::string_view> reasons;
    std::set<std::string> everything;
    for (const Family& family : all_families()) everything.emplace(family.names.front());
    for (const Siblings& row : siblings(everything, {Abi::x86_64, Abi::i386})) {
        CHECK(reasons.insert(row.reason).second);
        CHECK(std::is_sorted(row.names.begin(), row.names.end()));
        CHECK(std::is_sorted(row.of.begin(), row.of.end()));
    }
}

TEST_CASE("a sibling does not bring in what only another call of its family needs") {
    CHECK(added({"unlink"}, x86_64) == std::set<std::string>{"unlinkat"});
    CHECK(added({"unlinkat"}, x86_64) == std::set<std::string>{"rmdir", "unlink"});
    CHECK(added({"bind"}, i386).empty());
    CHECK(added({"socketcall"}, i386).count("bind") == 1);
    CHECK(added({"shmget"}, i386).empty());
    CHECK(added({"ipc"}, i386).count("semtimedop_time64") == 1);
    CHECK(added({"sigaction"}, i386) == std::set<std::string>{"rt_sigaction"});
    CHECK(added({"rt_sigaction"}, i386).empty());
    CHECK(added({"setrlimit"}, x86_64) == std::set<std::string>{"prlimit64"});
    CHECK(added({"getrlimit"}, x86_64) == std::set<std::string>{"prlimit64"});
}

TEST_CASE("families are found by a call") {
    CHECK(families_of("ipc").size() == 1);
    CHECK(families_of("unlinkat").size() == 1);
    CHECK(families_of("getpid").empty());
}

}  // namespace families_test
