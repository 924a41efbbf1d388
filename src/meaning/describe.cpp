#include "callcensus/describe.hpp"

#include <algorithm>
#include <vector>

#include "base/errno_names.hpp"

namespace callcensus {
namespace {

std::string number(std::uint64_t value) {
    if (value < 1024) return std::to_string(value);
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (; value != 0; value >>= 4) text.insert(text.begin(), digits[value & 15]);
    return "0x" + text;
}

std::string text_of(const ArgumentCondition& condition) {
    const std::string argument = "arg" + std::to_string(condition.index);
    const std::string_view op = sign(condition.op);
    if (!op.empty()) return argument + " " + std::string(op) + " " + number(condition.value);
    return argument + " & " + number(condition.value) + " == " + number(condition.value_two);
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " or ") + word;
    return text;
}

}  // namespace

std::string describe(const Decision& decision) {
    switch (decision.action) {
        case Action::allow:
            return "allowed";
        case Action::errno_:
            return "denied with " + errno_name(static_cast<int>(decision.value));
        case Action::kill:
        case Action::kill_thread:
            return "kills the thread";
        case Action::kill_process:
            return "kills the process";
        case Action::trap:
            return "denied with SIGSYS";
        case Action::trace:
            return "left to a tracer";
        case Action::log:
            return "allowed and logged";
        case Action::notify:
            return "left to a listener";
    }
    return {};
}

std::string describe(std::span<const Conditions> alternatives) {
    std::string text;
    const bool any_long = std::any_of(alternatives.begin(), alternatives.end(),
                                      [](const Conditions& conditions) { return conditions.size() > 1; });
    constexpr std::size_t shown = 12;
    for (const Conditions& conditions : alternatives.first(std::min(shown, alternatives.size()))) {
        if (!text.empty()) text += any_long ? ", or " : " or ";
        for (std::size_t i = 0; i < conditions.size(); ++i)
            text += (i == 0 ? "" : " and ") + text_of(conditions[i]);
    }
    if (alternatives.size() > shown)
        text += " or " + std::to_string(alternatives.size() - shown) + " more such conditions";
    return text;
}

std::string describe(const CallMeaning& meaning) {
    std::string text;
    for (const CallMeaning::Part& part : meaning.parts)
        text += (text.empty() ? "" : "; ") + describe(part.decision) + " if " +
                describe(conditions_of(part.arguments, meaning.width));
    return text + (text.empty() ? "" : ", else ") + describe(meaning.otherwise);
}

std::string describe(const Context& includes, const Context& excludes) {
    std::vector<std::string> parts;
    const auto add = [&](const std::string& prefix, const std::string& text) {
        if (!text.empty()) parts.push_back(prefix + text);
    };
    for (const std::string& cap : includes.caps) add("with ", cap);
    add("without ", listed(excludes.caps));
    add("on ", listed(includes.arches));
    add("not on ", listed(excludes.arches));
    add("from kernel ", includes.min_kernel);
    add("before kernel ", excludes.min_kernel);
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

}  // namespace callcensus
