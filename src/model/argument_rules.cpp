#include "model/argument_rules.hpp"

namespace callcensus {
namespace {

// As conditions_of() writes it: EQ, NE, LE, GE, MASKED_EQ.
ArgumentRule::Condition test_of(const ArgumentCondition& condition, ArgumentWidth width) {
    using Test = ArgumentRule::Test;
    const std::uint64_t all = largest_argument(width);
    if (condition.op == Comparison::ne) return {condition.index, Test::other_than, condition.value, all};
    if (condition.op == Comparison::le) return {condition.index, Test::at_most, condition.value, all};
    if (condition.op == Comparison::ge) return {condition.index, Test::at_least, condition.value, all};
    if (condition.op == Comparison::eq) return {condition.index, Test::equals_masked, condition.value, all};
    return {condition.index, Test::equals_masked, condition.value_two, condition.value};
}

}  // namespace

ArgumentRule argument_rule(const Conditions& conditions, ArgumentWidth width, std::uint32_t answer) {
    ArgumentRule rule{{}, answer};
    for (const ArgumentCondition& condition : conditions)
        rule.conditions.push_back(test_of(condition, width));
    return rule;
}

std::vector<ArgumentRule> argument_rules(const ArgumentSet& set, ArgumentWidth width, std::uint32_t answer) {
    std::vector<ArgumentRule> rules;
    for (const Conditions& conditions : conditions_of(set, width))
        rules.push_back(argument_rule(conditions, width, answer));
    return rules;
}

}  // namespace callcensus
