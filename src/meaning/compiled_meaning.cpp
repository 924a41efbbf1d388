#include "meaning/compiled_meaning.hpp"

#include <algorithm>
#include <cstddef>

#include "meaning/libseccomp_filter.hpp"
#include "meaning/loading.hpp"

namespace callcensus {
namespace {

// Filters of more rules for a call are longer than the kernel takes, or nearly so.
constexpr std::size_t max_rules = 1000;
constexpr std::size_t max_work = 20'000;  // boxes, of all steps together

// Any call that every ABI has, and no multiplexer.
constexpr const char* some_call = "read";

Abi some_abi(ArgumentWidth width) { return width == ArgumentWidth::bits32 ? Abi::i386 : Abi::x86_64; }

// Follows a filter for one call down all its branches, with the arguments that lead there.
class Walk {
  public:
    Walk(const Filter& filter, Abi abi, const Decision& otherwise)
        : filter_(filter),
          abi_(abi),
          number_(*syscall_number(abi, some_call)),
          result_(always(otherwise, argument_width(abi))) {}

    std::optional<CallMeaning> meaning() {
        go(0, {}, all_arguments(result_.width));
        return possible_ ? std::optional(std::move(result_)) : std::nullopt;
    }

  private:
    // What the filter has loaded: a constant, or half of an argument.
    struct Loaded {
        bool is_argument = false;
        std::uint32_t constant = 0;
        std::uint32_t index = 0;
        bool high = false;
        std::uint32_t mask = UINT32_MAX;
    };

    void give_up() { possible_ = false; }

    [[nodiscard]] Loaded loaded(std::uint32_t offset) const {
        constexpr std::size_t half = sizeof(std::uint32_t);
        if (offset == offsetof(seccomp_data, nr)) return {false, number_};
        if (offset == offsetof(seccomp_data, arch)) return {false, info(abi_).audit_arch};
        const std::size_t place = offset - offsetof(seccomp_data, args);
        return {true, 0, static_cast<std::uint32_t>(place / (2 * half)), place % (2 * half) != 0};
    }

    // Where `loaded` compares so with a constant, among the arguments of `set`; empty where no set says it.
    std::optional<ArgumentSet> holding(const Loaded& loaded, std::uint16_t test, std::uint32_t constant,
                                       const ArgumentSet& set) const {
        const std::uint64_t value = constant;
        const auto where = [&](std::uint64_t one, std::uint64_t two, Comparison op) {
            return intersection(
                set, set_of(std::vector<ArgumentCondition>{{loaded.index, one, two, op}}, result_.width));
        };
        const int shift = loaded.high ? 32 : 0;
        if (test == BPF_JEQ)
            return (value & ~std::uint64_t{loaded.mask}) != 0
                       ? ArgumentSet{}
                       : where(std::uint64_t{loaded.mask} << shift, value << shift, Comparison::masked_eq);
        if (loaded.mask != UINT32_MAX) return std::nullopt;
        const bool equal_as_well = test == BPF_JGE;
        if (result_.width == ArgumentWidth::bits32)
            return where(value, 0, equal_as_well ? Comparison::ge : Comparison::gt);
        if (loaded.high)
            return equal_as_well ? where(value << 32, 0, Comparison::ge)
                                 : where(value << 32 | UINT32_MAX, 0, Comparison::gt);
        // Of low halves only where all high halves are the same.
        ArgumentSet both;
        for (const ArgumentBox& box : set.boxes) {
            const ValueSet& values = box.at(loaded.index);
            if (values.low >> 32 != values.high >> 32) return std::nullopt;
            const std::uint64_t least = (values.low >> 32 << 32) | value;
            if (!equal_as_well && value == UINT32_MAX) continue;
            const Conditions above{{loaded.index, least + (equal_as_well ? 0 : 1), 0, Comparison::ge}};
            both = union_of(both, intersection(ArgumentSet{{box}}, set_of(above, result_.width)));
        }
        return both;
    }

    void go(std::size_t at, Loaded loaded, ArgumentSet set) {
        for (; possible_ && !set.empty(); ++at) {
            if (at >= filter_.size() || (work_ += set.boxes.size()) > max_work) return give_up();
            const sock_filter& code = filter_[at];
            switch (code.code) {
                case BPF_LD | BPF_W | BPF_ABS:
                    loaded = this->loaded(code.k);
                    break;
                case BPF_ALU | BPF_AND | BPF_K:
                    loaded.mask &= code.k;
                    loaded.constant &= code.k;
                    break;
                case BPF_JMP | BPF_JA:
                    at += code.k;
                    break;
                case BPF_RET | BPF_K:
                    return result_.add(decision_of_answer(code.k), set);
                case BPF_JMP | BPF_JEQ | BPF_K:
                case BPF_JMP | BPF_JGT | BPF_K:
                case BPF_JMP | BPF_JGE | BPF_K: {
                    const std::uint16_t test = BPF_OP(code.code);
                    if (!loaded.is_argument) {
                        at += holds(loaded.constant, test, code.k) ? code.jt : code.jf;
                        break;
                    }
                    auto yes = holding(loaded, test, code.k, set);
                    auto no = yes ? difference(set, *yes, max_work) : std::nullopt;
                    if (!no) return give_up();
                    go(at + 1 + code.jt, loaded, std::move(*yes));
                    set = std::move(*no);
                    at += code.jf;
                    break;
                }
                default:
                    return give_up();
            }
        }
    }

    static bool holds(std::uint32_t value, std::uint16_t test, std::uint32_t constant) {
        return test == BPF_JEQ ? value == constant : test == BPF_JGT ? value > constant : value >= constant;
    }

    const Filter& filter_;
    Abi abi_;
    std::uint32_t number_;
    CallMeaning result_;
    std::size_t work_ = 0;
    bool possible_ = true;
};

std::vector<Conditions> all_conditions_added(std::span<const Rule* const> rules) {
    std::vector<Conditions> all;
    for (const Rule* rule : rules)
        for (Conditions& conditions : conditions_added(*rule)) all.push_back(std::move(conditions));
    return all;
}

// Null where libseccomp does not take all of the rules, or does not come to an end.
std::unique_ptr<LibseccompFilter> with_rules(std::span<const Rule* const> rules, const Decision& otherwise,
                                             ArgumentWidth width) {
    auto filter = LibseccompFilter::begin(otherwise, some_abi(width));
    if (!filter) return nullptr;
    const auto add_all = [&] {
        return std::all_of(rules.begin(), rules.end(), [&](const Rule* rule) {
            const auto added = conditions_added(*rule);
            return std::all_of(added.begin(), added.end(), [&](const Conditions& conditions) {
                return filter->add(some_call, decision_of(*rule), conditions) == 0;
            });
        });
    };
    const auto try_out = [&] {
        static_cast<void>(add_all());
        static_cast<void>(filter->code());
    };
    if (!compiles_as_read(all_conditions_added(rules)) && !comes_to_an_end(try_out)) return nullptr;
    return add_all() ? std::move(filter) : nullptr;
}

// Of rules with different decisions.
bool any_overlap(std::span<const Rule* const> rules, ArgumentWidth width) {
    std::vector<std::pair<Decision, ArgumentSet>> earlier;
    for (const Rule* rule : rules) {
        const Decision decision = decision_of(*rule);
        const ArgumentSet set = set_of(rule->args, width);
        for (const auto& [other, others] : earlier)
            if (other != decision && !intersection(set, others).empty()) return true;
        const auto same = std::find_if(earlier.begin(), earlier.end(),
                                       [&](const auto& it) { return it.first == decision; });
        if (same == earlier.end())
            earlier.emplace_back(decision, set);
        else
            same->second.boxes.insert(same->second.boxes.end(), set.boxes.begin(), set.boxes.end());
    }
    return false;
}

bool looks_at_no_bit(const Rule* rule) {
    return std::any_of(rule->args.begin(), rule->args.end(), [](const ArgumentCondition& condition) {
        return condition.op == Comparison::masked_eq && condition.value == 0;
    });
}

}  // namespace

bool is_in_doubt(std::span<const Rule* const> rules, ArgumentWidth width) {
    if (rules.size() < 2 && (rules.empty() || rules.front()->args.size() < 2)) return false;
    // The first one without conditions decides; what stands before it may be refused all the same. One that
    // looks at no bit may have none for libseccomp, too.
    if (std::none_of(rules.begin(), rules.end(), looks_at_no_bit) &&
        std::any_of(rules.begin(), rules.end(), [](const Rule* rule) { return rule->args.empty(); }))
        return false;
    return rules.size() <= max_rules && compiles_as_read(all_conditions_added(rules)) &&
           any_overlap(rules, width);
}

bool libseccomp_takes(std::span<const Rule* const> rules, const Decision& otherwise, ArgumentWidth width) {
    return with_rules(rules, otherwise, width) != nullptr;
}

std::optional<CallMeaning> compiled_meaning(std::span<const Rule* const> rules, const Decision& otherwise,
                                            ArgumentWidth width) {
    const auto filter = with_rules(rules, otherwise, width);
    if (!filter) return std::nullopt;
    const auto code = filter->code();
    if (!code) return std::nullopt;
    return Walk(*code, some_abi(width), otherwise).meaning();
}

}  // namespace callcensus
