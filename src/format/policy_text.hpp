// The text of a minijail policy, token by token: words, numbers, constants, and conditions on arguments in
// disjunctive normal form. minijail_reader.cpp makes statements of them.
//
//     expression = clause { || clause }          clause = atom { && atom }
//     atom       = argN OP value                 value  = constant { | constant }
//     constant   = [~] ( number | NAME | (value) )
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

// All of them hold. Alternatives of them: any of them holds.
using Clause = Conditions;
using Alternatives = std::vector<Clause>;

[[nodiscard]] ArgumentSet set_of_clauses(const Alternatives& clauses, ArgumentWidth width);

// A backslash at the end of a line continues it.
class PolicyText {
  public:
    /// Constants have the values of that ABI. `alternatives` counts those of all texts of a policy.
    PolicyText(std::string_view text, const std::string& source, Abi abi, std::size_t& alternatives)
        : text_(text), source_(source), abi_(abi), alternatives_(alternatives) {}

    [[nodiscard]] std::size_t at() const { return at_; }
    void go_to(std::size_t offset) { at_ = offset; }
    [[nodiscard]] ArgumentWidth width() const { return argument_width(abi_); }
    [[nodiscard]] std::string place_of(std::size_t offset) const;
    [[nodiscard]] tl::unexpected<Error> error(const std::string& what) const { return error_at(at_, what); }
    [[nodiscard]] tl::unexpected<Error> error_at(std::size_t offset, const std::string& what) const;

    /// A line break at the end of the text.
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }
    /// To the next token of the statement; comments are none.
    void skip_blanks();
    /// To the next statement; false at the end.
    bool skip_to_statement();
    bool accept(std::string_view token);
    std::string word();
    /// Up to the next blank, for a path.
    std::string path();
    void skip_line();
    [[nodiscard]] Result<void> end_of_statement();

    [[nodiscard]] bool begins_expression();
    Result<Alternatives> read_expression();
    Result<std::uint32_t> read_errno();

  private:
    bool accept_but_not(char token, char second);
    Result<Alternatives> read_clause();
    Result<std::vector<ArgumentCondition>> read_atom();
    Result<std::uint64_t> read_value(int depth = 0);
    Result<std::uint64_t> read_constant(int depth = 0);

    std::string_view text_;
    const std::string& source_;
    Abi abi_;
    std::size_t& alternatives_;
    std::size_t at_ = 0;
};

}  // namespace callcensus
