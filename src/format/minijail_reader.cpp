// Reads a policy for `minijail0 -S`; minijail.cpp says what one looks like.
//
// A rule of a profile has one condition for each argument. Several comparisons of one argument joined by &&,
// and what `return` means, become as many rules as that takes.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/errno_names.hpp"
#include "callcensus/argument_set.hpp"
#include "format/formats.hpp"
#include "format/located_json.hpp"

namespace callcensus {
namespace {

// `arg0 & 0xff && arg1 & 0xff` is 64 rules: without limits a short text could take a machine's memory.
constexpr std::size_t most_alternatives = 1000;  // of one clause
constexpr std::size_t most_alternatives_of_a_file = 200'000;

// Names that policies use and that have the same value on every ABI: asm-generic or above. Others (O_*, the
// requests of ioctl, SOCK_*) differ.
#define CONSTANT(name) \
    std::pair<std::string_view, std::uint64_t> { #name, static_cast < std::uint64_t>(name) }
constexpr std::array constants{
    CONSTANT(PROT_NONE),        CONSTANT(PROT_READ),         CONSTANT(PROT_WRITE),
    CONSTANT(PROT_EXEC),        CONSTANT(AF_UNSPEC),         CONSTANT(AF_UNIX),
    CONSTANT(AF_LOCAL),         CONSTANT(AF_INET),           CONSTANT(AF_INET6),
    CONSTANT(AF_NETLINK),       CONSTANT(AF_PACKET),         CONSTANT(AF_VSOCK),
    CONSTANT(PF_UNIX),          CONSTANT(PF_LOCAL),          CONSTANT(PF_INET),
    CONSTANT(PF_INET6),         CONSTANT(PF_NETLINK),        CONSTANT(CLONE_VM),
    CONSTANT(CLONE_FS),         CONSTANT(CLONE_FILES),       CONSTANT(CLONE_SIGHAND),
    CONSTANT(CLONE_VFORK),      CONSTANT(CLONE_THREAD),      CONSTANT(CLONE_NEWNS),
    CONSTANT(CLONE_NEWCGROUP),  CONSTANT(CLONE_NEWUTS),      CONSTANT(CLONE_NEWIPC),
    CONSTANT(CLONE_NEWUSER),    CONSTANT(CLONE_NEWPID),      CONSTANT(CLONE_NEWNET),
    CONSTANT(PR_SET_PDEATHSIG), CONSTANT(PR_GET_PDEATHSIG),  CONSTANT(PR_GET_DUMPABLE),
    CONSTANT(PR_SET_DUMPABLE),  CONSTANT(PR_SET_NAME),       CONSTANT(PR_GET_NAME),
    CONSTANT(PR_SET_SECCOMP),   CONSTANT(PR_SET_TIMERSLACK), CONSTANT(PR_SET_NO_NEW_PRIVS),
    CONSTANT(PR_SET_VMA),       CONSTANT(PR_CAPBSET_READ),   CONSTANT(PR_CAPBSET_DROP),
    CONSTANT(PR_SET_PTRACER),   CONSTANT(F_DUPFD),           CONSTANT(F_GETFD),
    CONSTANT(F_SETFD),          CONSTANT(F_GETFL),           CONSTANT(F_SETFL),
};
#undef CONSTANT

// All of them hold. Alternatives of them: any of them holds.
using Clause = Conditions;
using Alternatives = std::vector<Clause>;

// The ABI of a policy is known to minijail alone. Where it has 32 bits, runtimes cut what is compared.
constexpr ArgumentWidth width = ArgumentWidth::bits64;

ArgumentCondition masked(std::uint32_t index, std::uint64_t mask, std::uint64_t bits) {
    return {index, mask, bits, "SCMP_CMP_MASKED_EQ"};
}

ArgumentSet set_of_clause(const Clause& clause) {
    ArgumentSet set = all_arguments(width);
    for (const ArgumentCondition& condition : clause) set = intersection(set, set_of({&condition, 1}, width));
    return set;
}

// One line at a time (a backslash at its end continues it), token by token.
class PolicyReader {
  public:
    PolicyReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

    Result<Profile> read() {
        profile_.default_action = Action::kill_process;
        while (skip_to_statement())
            if (auto statement = read_statement(); !statement) return tl::unexpected(statement.error());
        return std::move(profile_);
    }

  private:
    tl::unexpected<Error> error(const std::string& what) const { return error_at(at_, what); }
    tl::unexpected<Error> error_at(std::size_t offset, const std::string& what) const {
        return fail(what, place(text_, source_, std::min(offset, text_.size())));
    }

    tl::unexpected<Error> error_of_braces() const {
        return error("has braces, which only minijail's compile_seccomp_policy.py reads, and this does not");
    }

    // ---- characters and tokens ----

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }

    void skip_blanks() {
        while (at_ < text_.size()) {
            if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')
                ++at_;
            else if (text_.substr(at_, 2) == "\\\n")
                at_ += 2;
            else if (text_.substr(at_, 3) == "\\\r\n")
                at_ += 3;
            else if (text_[at_] == '#')
                at_ = std::min(text_.find('\n', at_), text_.size());
            else
                break;
        }
    }

    bool skip_to_statement() {
        for (skip_blanks(); at_ < text_.size() && text_[at_] == '\n'; skip_blanks()) ++at_;
        return at_ < text_.size();
    }

    bool accept(std::string_view token) {
        skip_blanks();
        if (text_.substr(at_, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }

    // The same, where a longer operator begins alike.
    bool accept_but_not(char token, char second) {
        skip_blanks();
        if (peek() != token || (at_ + 1 < text_.size() && text_[at_ + 1] == second)) return false;
        ++at_;
        return true;
    }

    std::string word() {
        skip_blanks();
        const std::size_t begin = at_;
        const auto belongs = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
        while (at_ < text_.size() && belongs(static_cast<unsigned char>(text_[at_]))) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }

    // ---- statements ----

    Result<void> read_statement() {
        const std::size_t begin = at_;
        if (peek() == '@') return read_directive();
        if (peek() == '{') return error_of_braces();
        const std::string name = word();
        if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0)
            return error_at(begin, "should begin with the name of a system call, as in `read: 1`");
        skip_blanks();
        if (peek() == '[')
            return error(
                "has a condition in brackets, which only minijail's compile_seccomp_policy.py reads");
        if (!accept(":")) return error(fmt::format("lacks a `:` after \"{}\"", name));
        return read_policy(name);
    }

    Result<void> read_directive() {
        const std::size_t begin = at_++;
        const std::string directive = word();
        if (directive == "include")
            return error_at(begin, "includes another file, which is not read: put its lines here");
        if (directive == "frequency") {  // a hint for the order of the comparisons
            at_ = std::min(text_.find('\n', at_), text_.size());
            return {};
        }
        if (directive == "denylist") {
            profile_.default_action = Action::allow;
            return end_of_statement();
        }
        if (directive != "default")
            return error_at(begin, "is an unknown directive; known are @default, @denylist, @frequency");
        skip_blanks();
        const std::size_t at = at_;
        const std::string action = word();
        const auto found = find_minijail_action(action);
        if (!found || lets_through(*found) || *found == Action::trace)
            return error_at(at, fmt::format("\"{}\" is no default action; known are kill-process, "
                                            "kill-thread, kill, trap, user-notify",
                                            action));
        profile_.default_action = *found;
        return end_of_statement();
    }

    static std::optional<Action> find_minijail_action(std::string_view word) {
        constexpr std::array<std::pair<std::string_view, Action>, 9> actions{{
            {"1", Action::allow},
            {"allow", Action::allow},
            {"kill", Action::kill_process},
            {"kill-process", Action::kill_process},
            {"kill-thread", Action::kill_thread},
            {"trap", Action::trap},
            {"trace", Action::trace},
            {"log", Action::log},
            {"user-notify", Action::notify},
        }};
        for (const auto& [name, action] : actions)
            if (name == word) return action;
        return std::nullopt;
    }

    Result<void> read_policy(const std::string& name) {
        skip_blanks();
        const std::size_t begin = at_;
        Rule rule;
        rule.names = {name};
        if (text_.substr(at_, 3) == "arg") {
            auto alternatives = read_expression();
            if (!alternatives) return tl::unexpected(alternatives.error());
            if (accept(";")) {
                auto denial = read_denial(begin, rule, *alternatives);
                if (!denial) return tl::unexpected(denial.error());
            }
            for (Clause& clause : *alternatives) {
                Rule& allowed = profile_.rules.emplace_back(rule);
                allowed.args = std::move(clause);
            }
            return end_of_statement();
        }
        if (peek() == '{') return error_of_braces();
        const std::string action = word();
        if (action == "return") {
            auto errnum = read_errno();
            if (!errnum) return tl::unexpected(errnum.error());
            rule.action = Action::errno_;
            rule.errno_ret = *errnum;
        } else if (const auto found = find_minijail_action(action)) {
            rule.action = *found;
        } else {
            return error_at(begin, "is neither 1 nor allow, `return ERRNO`, or a condition like `arg0 == 1`");
        }
        profile_.rules.push_back(std::move(rule));
        return end_of_statement();
    }

    // `; return ERRNO` after a condition: what happens where it does not hold.
    Result<void> read_denial(std::size_t begin, const Rule& rule, const Alternatives& alternatives) {
        skip_blanks();
        const std::size_t at = at_;
        if (word() != "return") return error_at(at, "is not `return ERRNO`, all that can follow a condition");
        auto errnum = read_errno();
        if (!errnum) return tl::unexpected(errnum.error());
        ArgumentSet allowed;
        for (const Clause& clause : alternatives) allowed = union_of(allowed, set_of_clause(clause));
        const auto denied = difference(all_arguments(width), allowed);
        if (!denied) return error_at(begin, "is too complicated together with its `return`");
        for (Conditions& conditions : conditions_of(*denied, width)) {
            Rule& denial = profile_.rules.emplace_back(rule);
            denial.action = Action::errno_;
            denial.errno_ret = *errnum;
            denial.args = std::move(conditions);
        }
        return {};
    }

    Result<std::uint32_t> read_errno() {
        skip_blanks();
        const std::size_t at = at_;
        if (const auto named = errno_from_name(word())) return static_cast<std::uint32_t>(*named);
        at_ = at;
        const auto number = read_constant();
        if (!number) return tl::unexpected(number.error());
        if (*number > 4095) return error_at(at, "is no errno; it should look like EPERM or 1");
        return static_cast<std::uint32_t>(*number);
    }

    Result<void> end_of_statement() {
        skip_blanks();
        if (peek() == '\n') return {};
        return error(fmt::format("\"{}\" is not expected here",
                                 text_.substr(at_, std::min<std::size_t>(10, text_.find('\n', at_) - at_))));
    }

    // ---- conditions ----

    Result<Alternatives> read_expression() {
        Alternatives all;
        do {
            auto clauses = read_clause();
            if (!clauses) return clauses;
            alternatives_ += clauses->size();
            if (alternatives_ > most_alternatives_of_a_file)
                return error("makes more than two hundred thousand rules");
            all.insert(all.end(), clauses->begin(), clauses->end());
        } while (accept("||"));
        return all;
    }

    // One clause of the policy, which can be several: `arg0 & 3` is two bits, either of which will do.
    Result<Alternatives> read_clause() {
        Alternatives clauses{{}};
        do {
            skip_blanks();
            const std::size_t at = at_;
            const auto atoms = read_atom();
            if (!atoms) return tl::unexpected(atoms.error());
            if (clauses.size() * atoms->size() > most_alternatives)
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
                for (Conditions& conditions : conditions_of(set_of_clause(clause), width))
                    sayable.push_back(std::move(conditions));
        return sayable;
    }

    Result<std::vector<ArgumentCondition>> read_atom() {
        const std::size_t at = at_;
        const std::string argument = word();
        if (argument.size() != 4 || argument.substr(0, 3) != "arg" || argument[3] < '0' || argument[3] > '5')
            return error_at(at, "is not one of arg0 to arg5");
        const auto index = static_cast<std::uint32_t>(argument[3] - '0');
        for (const Operator& op : all_operators())
            if (!op.sign.empty() && accept(op.sign))
                return read_value().map([&](std::uint64_t value) {
                    return std::vector<ArgumentCondition>{{index, value, 0, std::string(op.token)}};
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
                return std::vector<ArgumentCondition>{masked(index, ~value, 0)};
            });
        return error_at(operator_at, "is no operator; known are == != < <= > >= & in");
    }

    // value = constant { | constant }
    Result<std::uint64_t> read_value(int depth = 0) {
        std::uint64_t value = 0;
        do {
            const auto constant = read_constant(depth);
            if (!constant) return constant;
            value |= *constant;
        } while (accept_but_not('|', '|'));
        return value;
    }

    // constant = [~] ( number | name | (value) )
    Result<std::uint64_t> read_constant(int depth = 0) {
        if (depth > 20) return error("is nested too deeply");
        if (accept("~")) return read_constant(depth + 1).map([](std::uint64_t value) { return ~value; });
        if (accept("(")) {
            auto value = read_value(depth + 1);
            if (value && !accept(")")) return error("lacks a `)`");
            return value;
        }
        skip_blanks();
        const std::size_t at = at_;
        const std::string text = word();
        const bool negative = text.size() > 1 && text.front() == '-';
        if (const auto number = read_number(std::string_view(text).substr(negative ? 1 : 0)))
            return negative ? 0 - *number : *number;
        for (const auto& [name, value] : constants)
            if (name == text) return value;
        return error_at(at, text.empty()
                                ? "lacks a number"
                                : fmt::format("\"{}\" is no number, and no constant that is the same "
                                              "on every architecture: write its number",
                                              text));
    }

    // As strtoul(3) reads it.
    static std::optional<std::uint64_t> read_number(std::string_view digits) {
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

    std::string_view text_;
    const std::string& source_;
    std::size_t at_ = 0;
    std::size_t alternatives_ = 0;
    Profile profile_;
};

}  // namespace

Result<Profile> read_minijail(std::string_view text, const std::string& source) {
    return PolicyReader(text, source).read();
}

bool looks_like_minijail(std::string_view text) {
    // The first line that says something: `@directive`, or `name:` without a quote before it. Nothing but
    // comments allows nothing.
    bool has_comments = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin != std::string_view::npos && line[begin] != '#') {
            if (line[begin] == '@' || line[begin] == '{') return line[begin] == '@';
            const std::size_t end =
                line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_ \t[", begin);
            return end != std::string_view::npos && end != begin && line[end] == ':';
        }
        has_comments = has_comments || begin != std::string_view::npos;
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return has_comments;
}

}  // namespace callcensus
