#include "format/policy_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "abi/constants.hpp"
#include "base/errno_names.hpp"
#include "format/errno_limit.hpp"
#include "format/located_json.hpp"

namespace callcensus {
namespace {

// `arg0 & 0xff && arg1 & 0xff` is 64 rules: without limits a short text could take a machine's memory.
constexpr std::size_t max_alternatives = 1000;  // of one clause
constexpr std::size_t max_alternatives_of_a_file = 200'000;

ArgumentCondition masked(std::uint32_t index, std::uint64_t mask, std::uint64_t bits) {
    return {index, mask, bits, Comparison::masked_eq};
}

ArgumentSet set_of_clause(const Clause& clause, ArgumentWidth width) {
    ArgumentSet set = all_arguments(width);
    for (const ArgumentCondition& condition : clause) set = intersection(set, set_of({&condition, 1}, width));
    return set;
}

// As strtoul(3) reads it.
std::optional<std::uint64_t> read_number(std::string_view digits) {
    int base = 10;
    if (digits.substr(0, 2) == "0x" || digits.substr(0, 2) == "0X") {
        base = 16;
        digits.remove_prefix(2);
    } else if (digits.size() > 1 && digits.front() == '0') {
        base = 8;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

}  // namespace

ArgumentSet set_of_clauses(const Alternatives& clauses, ArgumentWidth width) {
    ArgumentSet set;
    for (const Clause& clause : clauses) set = union_of(set, set_of_clause(clause, width));
    return set;
}

// ---- characters and tokens ----

std::string PolicyText::place_of(std::size_t offset) const {
    return place(text_, source_, std::min(offset, text_.size()));
}

tl::unexpected<Error> PolicyText::error_at(std::size_t offset, const std::string& what) const {
    return fail(what, place_of(offset));
}

void PolicyText::skip_blanks() {
    while (at_ < text_.size()) {
        if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')
            ++at_;
        else if (text_.substr(at_, 2) == "\\\n")
            at_ += 2;
        else if (text_.substr(at_, 3) == "\\\r\n")
            at_ += 3;
        else if (text_[at_] == '#')
            skip_line();
        else
            break;
    }
}

void PolicyText::skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }

bool PolicyText::skip_to_statement() {
    for (skip_blanks(); at_ < text_.size() && text_[at_] == '\n'; skip_blanks()) ++at_;
    return at_ < text_.size();
}

bool PolicyText::accept(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
}

// The same, where a longer operator begins alike.
bool PolicyText::accept_but_not(char token, char second) {
    skip_blanks();
    if (peek() != token || (at_ + 1 < text_.size() && text_[at_ + 1] == second)) return false;
    ++at_;
    return true;
}

std::string PolicyText::word() {
    skip_blanks();
    const std::size_t begin = at_;
    const auto belongs = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
    while (at_ < text_.size() && belongs(static_cast<unsigned char>(text_[at_]))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
}

std::string PolicyText::path() {
    skip_blanks();
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(" \t\r\n", at_), text_.size());
    return std::string(text_.substr(begin, at_ - begin));
}

Result<void> PolicyText::end_of_statement() {
    skip_blanks();
    if (peek() == '\n') return {};
    return error(fmt::format("\"{}\" is not expected here",
                             text_.substr(at_, std::min<std::size_t>(10, text_.find('\n', at_) - at_))));
}

// ---- conditions ----

bool PolicyText::begins_expression() {
    skip_blanks();
    return text_.substr(at_, 3) == "arg";
}

Result<Alternatives> PolicyText::read_expression() {
    Alternatives all;
    do {
        auto clauses = read_clause();
        if (!clauses) return clauses;
        alternatives_ += clauses->size();
        if (alternatives_ > max_alternatives_of_a_file)
            return error("makes more than two hundred thousand rules");
        all.insert(all.end(), clauses->begin(), clauses->end());
    } while (accept("||"));
    return all;
}

// One clause of the policy, which can be several: `arg0 & 3` is two bits, either of which will do.
Result<Alternatives> PolicyText::read_clause() {
    Alternatives clauses{{}};
    do {
        skip_blanks();
        const std::size_t at = at_;
        const auto atoms = read_atom();
        if (!atoms) return tl::unexpected(atoms.error());
        if (clauses.size() * atoms->size() > max_alternatives)
            return error_at(at, "has more than a thousand alternatives");
        Alternatives next;
        for (const Clause& so_far : clauses)
            for (const ArgumentCondition& atom : *atoms) {
                next.push_back(so_far);
                next.back().push_back(atom);
            }
        clauses = std::move(next);
    } while (accept("&&"));
    Alternatives sayable;
    for (Clause& clause : clauses)
        // Runtimes take two conditions on one argument of a rule for alternatives; in a policy both hold.
        if (!repeats_an_index(clause))
            sayable.push_back(std::move(clause));
        else
            for (Conditions& conditions : conditions_of(set_of_clause(clause, width()), width()))
                sayable.push_back(std::move(conditions));
    return sayable;
}

Result<std::vector<ArgumentCondition>> PolicyText::read_atom() {
    const std::size_t at = at_;
    const std::string argument = word();
    if (argument.size() != 4 || argument.substr(0, 3) != "arg" || argument[3] < '0' || argument[3] > '5')
        return error_at(at, "is not one of arg0 to arg5");
    const auto index = static_cast<std::uint32_t>(argument[3] - '0');
    for (const ComparisonInfo& op : all_comparisons())
        if (!op.sign.empty() && accept(op.sign))
            return read_value().map([&](std::uint64_t value) {
                return std::vector<ArgumentCondition>{{index, value, 0, op.comparison}};
            });
    if (accept_but_not('&', '&'))
        return read_value().map([&](std::uint64_t value) {
            std::vector<ArgumentCondition> bits;
            for (std::uint64_t bit = 1; bit != 0; bit <<= 1)
                if ((value & bit) != 0) bits.push_back(masked(index, bit, bit));
            return bits;
        });
    skip_blanks();
    const std::size_t operator_at = at_;
    if (word() == "in")
        return read_value().map([&](std::uint64_t value) {
            return std::vector<ArgumentCondition>{masked(index, ~value & largest_argument(width()), 0)};
        });
    return error_at(operator_at, "is no operator; known are == != < <= > >= & in");
}

Result<std::uint64_t> PolicyText::read_value(int depth) {
    std::uint64_t value = 0;
    do {
        const auto constant = read_constant(depth);
        if (!constant) return constant;
        value |= *constant;
    } while (accept_but_not('|', '|'));
    return value;
}

Result<std::uint64_t> PolicyText::read_constant(int depth) {
    const std::uint64_t largest = largest_argument(width());
    if (depth > 20) return error("is nested too deeply");
    if (accept("~"))
        return read_constant(depth + 1).map([&](std::uint64_t value) { return ~value & largest; });
    if (accept("(")) {
        auto value = read_value(depth + 1);
        if (value && !accept(")")) return error("lacks a `)`");
        return value;
    }
    skip_blanks();
    const std::size_t at = at_;
    const std::string text = word();
    const bool negative = text.size() > 1 && text.front() == '-';
    if (const auto number = read_number(std::string_view(text).substr(negative ? 1 : 0))) {
        // The ABI of the policy has no larger ones, and of negative ones no smaller ones.
        const bool fits = negative ? *number <= largest / 2 + 1 : *number <= largest;
        if (!fits)
            return error_at(at, fmt::format("\"{}\" has more than the {} bits of an argument on {}", text,
                                            info(abi_).bits, info(abi_).id));
        return (negative ? 0 - *number : *number) & largest;
    }
    if (const auto constant = find_constant(abi_, text)) return *constant;
    if (text.empty()) return error_at(at, "lacks a number");
    const std::string nearest = nearest_constant(abi_, text);
    return error_at(at,
                    fmt::format("\"{}\" is no number and no constant of {}{}", text, info(abi_).id,
                                nearest.empty() ? ": write its number" : "; did you mean " + nearest + "?"));
}

Result<std::uint32_t> PolicyText::read_errno() {
    skip_blanks();
    const std::size_t at = at_;
    if (const auto named = errno_from_name(word())) return static_cast<std::uint32_t>(*named);
    at_ = at;
    const auto number = read_constant();
    if (!number) return tl::unexpected(number.error());
    if (*number > largest_errno) return error_at(at, "is no errno; it should look like EPERM or 1");
    return static_cast<std::uint32_t>(*number);
}

}  // namespace callcensus
