// Reads a policy for minijail; minijail.cpp says what one looks like.
//
// Two programs read policies, and where they differ the file tells for which one it is. `minijail0 -S` knows
// lines of one call with a condition, where `; return ERRNO` is what happens where the condition does not
// hold. compile_seccomp_policy.py also knows braces, `[arch=…]`, @default, @denylist and actions by name,
// which minijail0 refuses; there `; return ERRNO` is what happens where the condition holds. So the first of
// these makes the whole policy, with what it includes, one for the latter.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>

#include "format/formats.hpp"
#include "format/policy_text.hpp"

namespace callcensus {
namespace {

constexpr std::size_t deepest_include = 10;  // compile_seccomp_policy.py's limit
constexpr std::size_t max_included = 1000;   // files that include the next one ten times are 10^10

struct Filter {
    std::optional<Alternatives> clauses;  // empty: whatever the arguments are
    Decision decision;
};

// A line after one that decides all calls of a name.
bool decides_all(const std::vector<Filter>& filters) {
    return !filters.empty() && !filters.back().clauses.has_value();
}

struct Call {
    std::string name;
    std::vector<Filter> filters;  // asked in order
};

// What all files of a policy have in common.
struct Policy {
    ReadContext context;
    Abi abi;
    bool for_compiler = false;
    bool has_return = false;  // after a condition, where the two differ
    std::size_t alternatives = 0;
    std::size_t included = 0;
    Decision otherwise{Action::kill_process, 0};
    std::vector<Call> calls;
    std::map<std::string, std::size_t> places;
    std::vector<std::string> open_files;

    Call& of(const std::string& name) {
        const auto [place, is_new] = places.try_emplace(name, calls.size());
        if (is_new) calls.push_back({name, {}});
        return calls[place->second];
    }
};

std::optional<Action> find_minijail_action(std::string_view word) {
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

// Between words; x86_64 is one.
bool contains_word(std::string_view text, std::string_view word) {
    const auto is_in_word = [&](std::size_t at) {
        return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
        if ((at == 0 || !is_in_word(at - 1)) && !is_in_word(at + word.size())) return true;
    return false;
}

// By our name, by Go's, and by minijail's where it has one of its own. The longest counts: x86_64 is no x86.
const AbiInfo* find_abi_in(std::string_view text) {
    const AbiInfo* found = nullptr;
    std::size_t longest = 0;
    const auto look_for = [&](std::string_view word, const AbiInfo& row) {
        if (word.size() > longest && contains_word(text, word)) {
            found = &row;
            longest = word.size();
        }
    };
    for (const AbiInfo& row : all_abis()) {
        look_for(row.id, row);
        if (row.go_name != "386") look_for(row.go_name, row);  // which can be any number
    }
    look_for("x86", info(Abi::i386));
    return found;
}

// A policy does not say for which ABI it is, unless we wrote it: its folder or name does, as in
// seccomp/aarch64/serial.policy and cat-seccomp-amd64.policy.
const AbiInfo* abi_that_is_told(std::string_view text, const std::string& source) {
    constexpr std::string_view mark = "\n# For ";
    const auto begin = text.find(mark);
    if (begin != std::string_view::npos) {
        const std::string_view rest = text.substr(begin + mark.size());
        const auto end = rest.find(" only.\n");
        if (end != std::string_view::npos)
            if (const AbiInfo* row = find_abi(rest.substr(0, end))) return row;
    }
    const std::filesystem::path path(source);
    if (const AbiInfo* row = find_abi_in(path.filename().string())) return row;
    return find_abi_in(path.parent_path().filename().string());
}

class PolicyReader {
  public:
    PolicyReader(std::string_view text, const std::string& source, Policy& policy)
        : policy_(policy), source_(source), text_(text, source, policy.abi, policy.alternatives) {}

    Result<void> read() {
        while (text_.skip_to_statement())
            if (auto statement = read_statement(); !statement) return statement;
        return {};
    }

  private:
    Result<void> read_statement() {
        if (text_.peek() == '@') return read_directive();
        std::vector<std::string> names;
        const bool has_braces = text_.accept("{");
        if (has_braces) policy_.for_compiler = true;
        do {
            auto name = read_call();
            if (!name) return tl::unexpected(name.error());
            if (!name->empty()) names.push_back(std::move(*name));
        } while (has_braces && text_.accept(","));
        if (has_braces && !text_.accept("}")) return text_.error("lacks a `}` after the names of calls");
        if (!text_.accept(":"))
            return text_.error(names.size() == 1 ? fmt::format("lacks a `:` after \"{}\"", names.front())
                                                 : "lacks a `:` after the names of calls");
        return read_filters(names);
    }

    // Empty where `[arch=…]` does not name the ABI of the policy.
    Result<std::string> read_call() {
        text_.skip_blanks();
        const std::size_t begin = text_.at();
        std::string name = text_.word();
        if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0)
            return text_.error_at(begin, "should begin with the name of a system call, as in `read: 1`");
        text_.skip_blanks();
        if (text_.peek() == '@')
            return text_.error(
                "names a group of calls, which another file would have to define: write "
                "the calls' names");
        if (!text_.accept("[")) return name;
        policy_.for_compiler = true;
        bool applies = true;
        do {
            const std::string key = text_.word();
            if (!text_.accept("=")) return text_.error("lacks a `=` in brackets, as in [arch=x86_64]");
            bool named = false;
            do {
                const std::string value = text_.word();
                const AbiInfo* row = find_abi_in(value);
                named = named || (row != nullptr && row->abi == policy_.abi);
            } while (text_.accept(","));
            if (key == "arch" && !named) applies = false;
        } while (text_.accept(";"));
        if (!text_.accept("]")) return text_.error("lacks a `]`");
        return applies ? name : std::string();
    }

    Result<void> read_directive() {
        const std::size_t begin = text_.at();
        text_.go_to(begin + 1);
        const std::string directive = text_.word();
        if (directive == "include") return read_include(begin);
        if (directive == "frequency") {  // a hint for the order of the comparisons
            policy_.context.note("@frequency is passed over: it changes no decision", text_.place_of(begin));
            text_.skip_line();
            return {};
        }
        policy_.for_compiler = true;
        if (directive == "denylist") {
            policy_.otherwise = {Action::allow, 0};
            return text_.end_of_statement();
        }
        if (directive != "default")
            return text_.error_at(
                begin, "is an unknown directive; known are @default, @denylist, @frequency, @include");
        text_.skip_blanks();
        const std::size_t at = text_.at();
        const std::string action = text_.word();
        const auto found = find_minijail_action(action);
        if (!found || lets_through(*found) || *found == Action::trace)
            return text_.error_at(at, fmt::format("\"{}\" is no default action; known are kill-process, "
                                                  "kill-thread, kill, trap, user-notify",
                                                  action));
        policy_.otherwise = {*found, 0};
        return text_.end_of_statement();
    }

    Result<void> read_include(std::size_t begin) {
        const std::string path = text_.path();
        if (path.empty()) return text_.error_at(begin, "names no file to include");
        if (auto end = text_.end_of_statement(); !end) return end;
        if (!policy_.context.include)
            return text_.error_at(begin, "includes another file, which is not read here: put its lines here");
        auto included = policy_.context.include(path, source_);
        if (!included)
            return text_.error_at(
                begin, fmt::format("includes {}, which cannot be read: {}", path, included.error().text()));
        auto& open = policy_.open_files;
        if (std::find(open.begin(), open.end(), included->source) != open.end())
            return text_.error_at(begin, fmt::format("includes {}, which includes this file", path));
        if (open.size() > deepest_include)
            return text_.error_at(begin, "includes a file from one that is included ten levels deep");
        if (++policy_.included > max_included)
            return text_.error_at(
                begin, fmt::format("is one include too many: a policy has at most {}", max_included));
        open.push_back(included->source);
        auto read = PolicyReader(included->text, included->source, policy_).read();
        open.pop_back();
        return read;
    }

    Result<void> read_filters(const std::vector<std::string>& names) {
        if (!text_.accept("{")) {
            if (auto filter = read_filter(names); !filter) return filter;
            return text_.end_of_statement();
        }
        policy_.for_compiler = true;
        do {
            if (auto filter = read_filter(names); !filter) return filter;
        } while (text_.accept(","));
        if (!text_.accept("}")) return text_.error("lacks a `}`");
        return text_.end_of_statement();
    }

    Result<void> read_filter(const std::vector<std::string>& names) {
        text_.skip_blanks();
        const std::size_t begin = text_.at();
        if (!text_.begins_expression()) {
            const auto decision = read_action(begin);
            if (!decision) return tl::unexpected(decision.error());
            return add(names, {std::nullopt, *decision}, begin);
        }
        auto clauses = text_.read_expression();
        if (!clauses) return tl::unexpected(clauses.error());
        Filter filter{std::move(*clauses), {Action::allow, 0}};
        if (!text_.accept(";")) return add(names, filter, begin);
        text_.skip_blanks();
        const auto decision = read_action(text_.at());
        if (!decision) return tl::unexpected(decision.error());
        policy_.has_return = true;
        if (policy_.for_compiler) {
            filter.decision = *decision;
            return add(names, filter, begin);
        }
        if (auto added = add(names, filter, begin); !added) return added;
        return add(names, {std::nullopt, *decision}, begin);
    }

    Result<Decision> read_action(std::size_t begin) {
        const std::string action = text_.word();
        if (action == "return")
            return text_.read_errno().map([](std::uint32_t errnum) {
                return Decision{Action::errno_, errnum};
            });
        const auto found = find_minijail_action(action);
        if (!found)
            return text_.error_at(begin,
                                  "is neither 1 nor allow, `return ERRNO`, or a condition like `arg0 == 1`");
        if (action != "1" && action != "allow") policy_.for_compiler = true;
        return Decision{*found, 0};
    }

    Result<void> add(const std::vector<std::string>& names, const Filter& filter, std::size_t at) {
        for (const std::string& name : names) {
            std::vector<Filter>& filters = policy_.of(name).filters;
            if (!decides_all(filters)) {
                filters.push_back(filter);
            } else if (filters.back().decision != filter.decision) {
                return text_.error_at(at, fmt::format("comes too late: an earlier line decides every call of "
                                                      "{}, and minijail refuses another",
                                                      name));
            }
        }
        return {};
    }

    Policy& policy_;
    const std::string& source_;
    PolicyText text_;
};

Rule rule_of(const std::string& name, const Decision& decision) {
    Rule rule;
    rule.names = {name};
    rule.action = decision.action;
    if (decision.action == Action::errno_) rule.errno_ret = decision.value;
    return rule;
}

// Filters are asked in order and rules are not: what an earlier filter has decided otherwise is taken away.
Result<void> add_rules(const Call& call, const Policy& policy, std::vector<Rule>& rules) {
    const ArgumentWidth width = argument_width(policy.abi);
    const std::size_t first = rules.size();
    Alternatives before;
    std::optional<Decision> decided;  // the one decision of all filters so far; empty where they differ
    for (const Filter& filter : call.filters) {
        const bool is_first = before.empty();
        const bool is_alike = is_first || decided == filter.decision;
        if (!filter.clauses && is_alike) {
            rules.resize(first);
            rules.push_back(rule_of(call.name, filter.decision));
            return {};
        }
        if (!filter.clauses && filter.decision == policy.otherwise) return {};
        Alternatives left;
        if (is_alike) {
            left = *filter.clauses;
        } else {
            const auto asked = filter.clauses ? set_of_clauses(*filter.clauses, width) : all_arguments(width);
            const auto rest = difference(asked, set_of_clauses(before, width));
            if (!rest) return fail("has lines for " + call.name + " that are too complicated together");
            left = conditions_of(*rest, width);
        }
        for (Clause& clause : left) {
            rules.push_back(rule_of(call.name, filter.decision));
            rules.back().args = std::move(clause);
        }
        if (!filter.clauses) return {};
        before.insert(before.end(), filter.clauses->begin(), filter.clauses->end());
        decided = is_alike ? std::optional(filter.decision) : std::nullopt;
    }
    return {};
}

}  // namespace

Result<Profile> read_minijail(std::string_view text, const ReadContext& context) {
    const AbiInfo* told = abi_that_is_told(text, context.source);
    const auto fresh = [&] {
        Policy policy;
        policy.context = context;
        policy.abi = told != nullptr ? told->abi : context.abi;
        policy.open_files = {context.source};
        return policy;
    };
    Policy policy = fresh();
    auto read = PolicyReader(text, context.source, policy).read();
    if (read && policy.for_compiler && policy.has_return) {
        policy = fresh();
        policy.for_compiler = true;
        policy.context.tell = {};  // told once
        read = PolicyReader(text, context.source, policy).read();
    }
    if (!read) return tl::unexpected(read.error());
    Profile profile;
    profile.default_action = policy.otherwise.action;
    if (told != nullptr) profile.architectures = {std::string(told->token)};
    for (const Call& call : policy.calls)
        if (auto added = add_rules(call, policy, profile.rules); !added)
            return fail(added.error().message, context.source);
    return profile;
}

}  // namespace callcensus
