#include "callcensus/argument_set.hpp"

#include "catch.hpp"
#include "random_profiles.hpp"

namespace argument_set_test {

using namespace callcensus;

namespace {

constexpr auto wide = ArgumentWidth::bits64;

bool holds(const ArgumentCondition& condition, const Arguments& arguments) {
    const std::uint64_t x = arguments[condition.index];
    if (condition.op == Comparison::ne) return x != condition.value;
    if (condition.op == Comparison::lt) return x < condition.value;
    if (condition.op == Comparison::le) return x <= condition.value;
    if (condition.op == Comparison::eq) return x == condition.value;
    if (condition.op == Comparison::ge) return x >= condition.value;
    if (condition.op == Comparison::gt) return x > condition.value;
    return (x & condition.value) == (condition.value_two & condition.value);
}

bool holds(const Conditions& conditions, const Arguments& arguments) {
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const ArgumentCondition& condition) { return holds(condition, arguments); });
}

bool any_holds(const std::vector<Conditions>& rules, const Arguments& arguments) {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const Conditions& conditions) { return holds(conditions, arguments); });
}

ArgumentCondition condition(std::uint32_t index, Comparison op, std::uint64_t value,
                            std::uint64_t value_two = 0) {
    return {index, value, value_two, op};
}

}  // namespace

TEST_CASE("sets of arguments follow set algebra, and their conditions say the same") {
    testing::RandomProfiles random(1);
    testing::RandomProfiles::Wishes wishes;
    wishes.large_constants = true;
    constexpr std::size_t max_masks = 1000;
    int complete = 0;
    for (int round = 0; round < 400; ++round) {
        ArgumentSet a;
        ArgumentSet b;
        std::vector<Conditions> of_a;
        std::vector<Conditions> of_b;
        for (const Rule& rule : random.profile(wishes).rules) {
            a = union_of(a, set_of(rule.args, wide));
            of_a.push_back(rule.args);
        }
        for (const Rule& rule : random.profile(wishes).rules) {
            b = union_of(b, set_of(rule.args, wide));
            of_b.push_back(rule.args);
        }
        const auto both = intersection(a, b);
        const auto rest = difference(a, b);
        REQUIRE(rest);
        const auto simple = simplified(*rest, wide);
        const auto natural = conditions_of(*rest, wide);
        const auto masks = conditions_of(*rest, wide, true, max_masks);
        const bool all_masks = masks.size() <= max_masks;
        complete += all_masks;
        CHECK(covers(a, both));
        CHECK(covers(a, *rest));
        CHECK(intersection(b, *rest).empty());
        for (int sample = 0; sample < 60; ++sample) {
            const Arguments x = random.arguments(true);
            const bool in_a = any_holds(of_a, x);
            const bool in_b = any_holds(of_b, x);
            if (a.contains(x) != in_a || both.contains(x) != (in_a && in_b) ||
                rest->contains(x) != (in_a && !in_b) || simple.contains(x) != (in_a && !in_b) ||
                any_holds(natural, x) != (in_a && !in_b) ||
                (all_masks && any_holds(masks, x) != (in_a && !in_b))) {
                CAPTURE(round, x[0], x[1], x[2], in_a, in_b, a.contains(x), both.contains(x));
                CAPTURE(rest->contains(x), simple.contains(x), any_holds(natural, x), any_holds(masks, x));
                FAIL("a set does not hold what it should");
            }
        }
    }
    CHECK(complete > 300);
}

TEST_CASE("conditions come back as they would be written") {
    for (const auto& one :
         {condition(0, Comparison::eq, 5), condition(1, Comparison::ne, 16), condition(2, Comparison::le, 7),
          condition(3, Comparison::ge, 3), condition(0, Comparison::masked_eq, 0x7e020000, 0),
          condition(0, Comparison::masked_eq, 0xff, 2), condition(0, Comparison::masked_eq, 6, 4)}) {
        const Conditions rule{one};
        const auto back = conditions_of(set_of(rule, wide), wide);
        CAPTURE(token(one.op), one.value);
        REQUIRE(back.size() == 1);
        CHECK(back.front() == rule);
    }
    const Conditions two{condition(0, Comparison::ne, 16), condition(2, Comparison::ne, 9)};
    CHECK(conditions_of(set_of(two, wide), wide) == std::vector<Conditions>{two});
    CHECK(conditions_of(all_arguments(wide), wide) == std::vector<Conditions>{{}});
    CHECK(conditions_of({}, wide).empty());
}

TEST_CASE("a repeated index means either condition, as runc has it") {
    const Conditions rule{condition(0, Comparison::eq, 1), condition(0, Comparison::eq, 3)};
    const ArgumentSet set = set_of(rule, wide);
    CHECK(set.contains({1}));
    CHECK(set.contains({3}));
    CHECK_FALSE(set.contains({2}));
}

TEST_CASE("on 32-bit ABIs only the low half of constants counts") {
    const auto narrow = ArgumentWidth::bits32;
    const Conditions rule{condition(0, Comparison::eq, 0x100000005)};
    CHECK(set_of(rule, narrow).contains({5}));
    CHECK_FALSE(set_of(rule, wide).contains({5}));
    CHECK(covers(all_arguments(narrow), set_of(rule, narrow)));
}

TEST_CASE("no union of half the values of a mask is left out") {
    const Conditions even{condition(0, Comparison::masked_eq, 1, 0)};
    const Conditions odd{condition(0, Comparison::masked_eq, 1, 1)};
    const ArgumentSet all = union_of(set_of(even, wide), set_of(odd, wide));
    CHECK(covers(all, all_arguments(wide)));
    CHECK(conditions_of(all, wide) == std::vector<Conditions>{{}});
}

TEST_CASE("which rules libseccomp compiles as they read") {
    const Conditions not_two{condition(0, Comparison::ne, 2)};
    const Conditions pair{condition(0, Comparison::ne, 2), condition(1, Comparison::ge, 1)};
    const Conditions equal{condition(0, Comparison::eq, 2), condition(1, Comparison::eq, 1)};
    const Conditions large{condition(0, Comparison::le, 0x100000000)};
    CHECK(compiles_as_read(std::vector<Conditions>{pair}));
    CHECK(compiles_as_read(std::vector<Conditions>{not_two, not_two}));
    CHECK(compiles_as_read(std::vector<Conditions>{equal, equal}));
    CHECK_FALSE(compiles_as_read(std::vector<Conditions>{pair, equal}));
    CHECK_FALSE(compiles_as_read(std::vector<Conditions>{not_two, equal}));
    CHECK_FALSE(compiles_as_read(std::vector<Conditions>{large, large}));
}

}  // namespace argument_set_test
