#include "record/ptrace/release.hpp"

#include "catch.hpp"

namespace release_test {

using callcensus::ptrace::Release;

namespace {

Release released() {
    Release release;
    release.injection_begins();
    release.injection_ends(true, false);
    return release;
}

}  // namespace

TEST_CASE("a new process is watched and may be released") {
    const Release release;
    CHECK_FALSE(release.runs_freely());
    CHECK_FALSE(release.depends_on_us());
    CHECK(release.may_begin());
}

TEST_CASE("one injection at a time, and none after it has succeeded") {
    Release release;
    release.injection_begins();
    CHECK(release.is_injecting());
    CHECK(release.depends_on_us());
    CHECK_FALSE(release.may_begin());
    CHECK_FALSE(release.runs_freely());
    release.injection_ends(true, false);
    CHECK_FALSE(release.is_injecting());
    CHECK(release.is_released());
    CHECK(release.runs_freely());
    CHECK_FALSE(release.may_begin());
    CHECK_FALSE(release.has_lost_privileges());
}

TEST_CASE("what has been refused is tried again only after an exec") {
    Release release;
    release.injection_begins();
    release.injection_ends(false, true);
    CHECK_FALSE(release.runs_freely());
    CHECK_FALSE(release.may_begin());
    release.executes(false);
    CHECK(release.may_begin());
    CHECK(release.has_lost_privileges());  // for good
    release.is_impossible();
    CHECK_FALSE(release.may_begin());
}

TEST_CASE("a thread that dies while it loads our filter may have left it there") {
    Release release;
    release.injection_begins();
    release.injection_is_lost(true);
    CHECK_FALSE(release.runs_freely());
    CHECK(release.depends_on_us());
    CHECK(release.has_lost_privileges());
    CHECK(release.may_begin());
}

TEST_CASE("a filter of its own stops it at every call, from before it is loaded") {
    for (const bool loaded : {false, true}) {
        Release release = released();
        release.begins_to_load_filter();
        release.begins_to_load_filter();
        CHECK_FALSE(release.runs_freely());
        release.has_tried_to_load_filter(false);
        CHECK_FALSE(release.runs_freely());
        release.has_tried_to_load_filter(loaded);
        CHECK(release.runs_freely() == !loaded);
        CHECK(release.has_own_filter() == loaded);
        CHECK(release.is_released());
        Release watched;
        watched.begins_to_load_filter();
        CHECK_FALSE(watched.may_begin());
        watched.has_tried_to_load_filter(loaded);
        CHECK(watched.may_begin() == !loaded);
    }
}

TEST_CASE("after an exec the filter is good for another program only where all programs are one") {
    Release release = released();
    release.executes(false);
    CHECK(release.runs_freely());
    release.executes(true);
    CHECK_FALSE(release.runs_freely());
    CHECK(release.depends_on_us());
    CHECK(release.may_begin());  // a further filter
}

TEST_CASE("a child runs freely where its creator surely had the filter") {
    CHECK(released().of_child(true).runs_freely());
    const Release unsure = released().of_child(false);
    CHECK_FALSE(unsure.runs_freely());
    CHECK(unsure.depends_on_us());
    CHECK_FALSE(Release().of_child(true).runs_freely());
    CHECK_FALSE(Release().of_child(true).depends_on_us());
}

TEST_CASE("a child of a process that injects is not injecting") {
    Release release;
    release.injection_begins();
    const Release child = release.of_child(true);
    CHECK_FALSE(child.is_injecting());
    CHECK(child.depends_on_us());
    CHECK(child.may_begin());
}

TEST_CASE("a child has its creator's own filter, even one that is being loaded") {
    Release release;
    release.begins_to_load_filter();
    Release child = release.of_child(true);
    CHECK(child.has_own_filter());
    CHECK_FALSE(child.may_begin());
    release.has_tried_to_load_filter(false);
    CHECK_FALSE(release.of_child(true).has_own_filter());
}

TEST_CASE("what its creator cannot, and has lost, holds for a child, too") {
    Release release;
    release.injection_begins();
    release.injection_ends(false, true);
    for (const Release& child : {release.of_child(true), release.of_presumed_child(false)}) {
        CHECK_FALSE(child.may_begin());
        CHECK(child.has_lost_privileges());
    }
}

TEST_CASE("a stranger with a filter is watched at every call, since the filter may be anybody's") {
    for (const Release& stranger : {Release::of_stranger(true), released().of_presumed_child(true)}) {
        CHECK(stranger.has_own_filter());
        CHECK(stranger.depends_on_us());
        CHECK_FALSE(stranger.runs_freely());
        CHECK_FALSE(stranger.may_begin());
    }
    CHECK_FALSE(released().of_presumed_child(false).runs_freely());
    CHECK(Release::of_stranger(false).may_begin());
}

}  // namespace release_test
