#include "record/ptrace/placement.hpp"

#include "catch.hpp"

namespace placement_test {

using callcensus::ptrace::PlacementPolicy;
using Place = PlacementPolicy::Place;

namespace {

constexpr std::uint32_t all = PlacementPolicy::window;

PlacementPolicy::Window window(int microseconds_a_stop, std::uint32_t of_one_task = all,
                               bool to_spare = true) {
    return {std::chrono::microseconds(microseconds_a_stop) * static_cast<int>(all), of_one_task, to_spare};
}

}  // namespace

TEST_CASE("one hot task with slow stops draws the tracer to its side") {
    PlacementPolicy policy;
    CHECK(policy.after(window(48)) == Place::beside_the_task);
    CHECK(policy.after(window(6)) == Place::beside_the_task);
    CHECK(policy.after(window(7)) == Place::beside_the_task);
}

TEST_CASE("it stays away from cheap stops, many tasks and busy machines") {
    PlacementPolicy policy;
    CHECK(policy.after(window(6)) == Place::anywhere);
    CHECK(policy.after(window(48, all / 2)) == Place::anywhere);
    CHECK(policy.after(window(48, all, false)) == Place::anywhere);
}

TEST_CASE("it leaves when that does not help, and waits longer each time") {
    PlacementPolicy policy;
    int last_wait = 0;
    for (int attempt = 0; attempt < 4; ++attempt) {
        int waited = 0;
        while (policy.after(window(48)) == Place::anywhere) ++waited;
        CHECK(waited >= last_wait);
        if (attempt > 1) CHECK(waited > last_wait);
        last_wait = waited;
        CHECK(policy.after(window(60)) == Place::beside_the_task);  // the window of the move itself
        CHECK(policy.after(window(47)) == Place::anywhere);
    }
}

TEST_CASE("it leaves when other tasks join, and at once when a stop takes long") {
    PlacementPolicy policy;
    policy.after(window(48));
    CHECK(policy.after(window(6)) == Place::beside_the_task);
    CHECK(policy.after(window(6, all / 2)) == Place::anywhere);

    PlacementPolicy starved;
    starved.after(window(48));
    CHECK(starved.after_long_wait() == Place::anywhere);
    CHECK(starved.after(window(48)) == Place::anywhere);
}

}  // namespace placement_test
