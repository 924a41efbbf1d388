#include "record/ptrace/ending.hpp"

#include <vector>

#include "catch.hpp"

namespace ending_test {

using callcensus::ptrace::Ending;
using Step = callcensus::ptrace::Ending::Step;
using namespace std::chrono_literals;

namespace {

const Ending::Time start = Ending::Time() + 1h;

// All that is due then, in order.
std::vector<Step> due(Ending& ending, std::chrono::nanoseconds after_start) {
    std::vector<Step> steps;
    while (const auto step = ending.due(start + after_start)) steps.push_back(*step);
    return steps;
}

std::optional<std::chrono::nanoseconds> next(const Ending& ending) {
    const auto deadline = ending.next_deadline();
    return deadline ? std::optional<std::chrono::nanoseconds>(*deadline - start) : std::nullopt;
}

}  // namespace

TEST_CASE("a run without deadlines has none") {
    Ending ending({.ends_target = true});
    ending.begins(start);
    CHECK(next(ending) == std::nullopt);
    CHECK(due(ending, 1000h).empty());
    CHECK(ending.first_process_ended() == std::nullopt);
}

TEST_CASE("deadlines count from the beginning of the target") {
    Ending ending({.timeout = 10s, .tick = 1s, .ends_target = true});
    CHECK(next(ending) == std::nullopt);
    CHECK(due(ending, 0s).empty());
    ending.begins(start);
    CHECK(next(ending) == 1s);
}

TEST_CASE("when the time is up a launched target is asked to end, and killed if it has not") {
    Ending ending({.timeout = 10s, .kill_after = 5s, .ends_target = true});
    ending.begins(start);
    CHECK(next(ending) == 10s);
    CHECK(due(ending, 10s - 1ns).empty());
    CHECK(due(ending, 10s) == std::vector{Step::ask});
    CHECK(next(ending) == 15s);
    CHECK_FALSE(ending.is_killing());
    CHECK(due(ending, 15s - 1ns).empty());
    CHECK(due(ending, 15s) == std::vector{Step::kill});
    CHECK(next(ending) == std::nullopt);
    CHECK(due(ending, 1h).empty());
}

TEST_CASE("a loop that comes late does all that was due, in order") {
    Ending ending({.timeout = 10s, .kill_after = 0s, .tick = 1s, .ends_target = true});
    ending.begins(start);
    CHECK(due(ending, 60s) == std::vector{Step::ask, Step::kill, Step::tick});
    CHECK(next(ending) == 61s);
}

TEST_CASE("when the time is up a target that ran before is let go") {
    Ending ending({.timeout = 10s});
    ending.begins(start);
    CHECK(due(ending, 10s) == std::vector{Step::let_go});
    CHECK(next(ending) == std::nullopt);
}

TEST_CASE("ticks come again and again, and never all at once") {
    Ending ending({.tick = 2s});
    ending.begins(start);
    CHECK(due(ending, 1s).empty());
    CHECK(due(ending, 2s) == std::vector{Step::tick});
    CHECK(due(ending, 3s).empty());
    CHECK(due(ending, 9s) == std::vector{Step::tick});
    CHECK(next(ending) == 11s);
    Ending always({.tick = 0s});
    always.begins(start);
    CHECK(due(always, 0s) == std::vector{Step::tick});
}

TEST_CASE("the first request asks, a second one kills, and one sent twice is one") {
    Ending ending({.ends_target = true});
    CHECK(ending.requested(start) == Step::ask);
    CHECK(ending.requested(start + Ending::one_request) == std::nullopt);
    CHECK(ending.requested(start + Ending::one_request + 1ns) == Step::kill);
    CHECK(ending.requested(start + 1h) == Step::kill);
}

TEST_CASE("a request after the timeout has asked is the first one still") {
    Ending ending({.timeout = 10s, .kill_after = 5s, .ends_target = true});
    ending.begins(start);
    CHECK(due(ending, 10s) == std::vector{Step::ask});
    CHECK(ending.requested(start + 11s) == Step::ask);
    CHECK(due(ending, 15s) == std::vector{Step::kill});
}

TEST_CASE("what is let go is waited for, but not for ever") {
    Ending ending({});
    CHECK_FALSE(ending.is_letting_go());
    CHECK(ending.let_go(start, false) == Step::let_go);
    CHECK(ending.is_letting_go());
    CHECK(ending.let_go(start + 1s, false) == std::nullopt);
    CHECK(next(ending) == Ending::time_to_stop);
    CHECK(due(ending, Ending::time_to_stop - 1ns).empty());
    CHECK_FALSE(ending.has_left());
    CHECK(due(ending, Ending::time_to_stop) == std::vector{Step::leave});
    CHECK(ending.has_left());
    CHECK(next(ending) == std::nullopt);
}

TEST_CASE("what would die with us is waited for until it stops") {
    Ending ending({.dies_with_us = true});
    CHECK(ending.let_go(start, false) == Step::let_go);
    CHECK(next(ending) == std::nullopt);
}

TEST_CASE("what cannot live without us is requested to end instead of let go") {
    Ending ending({});
    CHECK(ending.let_go(start, true) == Step::ask);
    CHECK_FALSE(ending.is_letting_go());
    CHECK(ending.let_go(start, true) == std::nullopt);
    CHECK(ending.let_go(start + 1s, true) == Step::kill);
    // Once it has ended the others can be let go after all.
    CHECK(ending.let_go(start + 2s, false) == Step::let_go);
}

TEST_CASE("the end of the first process lets the others go only where that is wanted") {
    CHECK(Ending({.until_exit = true}).first_process_ended() == Step::let_go);
    CHECK(Ending({.until_exit = false}).first_process_ended() == std::nullopt);
}

TEST_CASE("everything is killed, whatever appears later too") {
    Ending ending({});
    CHECK_FALSE(ending.is_to_be_killed(false));
    CHECK_FALSE(ending.is_to_be_killed(true));
    ending.kills(start, false);
    CHECK(ending.is_killing());
    CHECK(ending.is_to_be_killed(false));
    CHECK(ending.is_to_be_killed(true));
    CHECK(next(ending) == std::nullopt);
}

TEST_CASE("engines around containers have time to clean up, once") {
    Ending ending({});
    ending.kills(start, true);
    CHECK(ending.is_to_be_killed(false));
    CHECK_FALSE(ending.is_to_be_killed(true));
    CHECK(due(ending, Ending::time_to_clean_up - 1ns).empty());
    CHECK(due(ending, Ending::time_to_clean_up) == std::vector{Step::kill});
    ending.kills(start + Ending::time_to_clean_up, true);
    CHECK(ending.is_to_be_killed(true));
    CHECK(next(ending) == std::nullopt);
}

}  // namespace ending_test
