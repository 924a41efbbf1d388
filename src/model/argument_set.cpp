#include "callcensus/argument_set.hpp"

#include <algorithm>
#include <bit>

namespace callcensus {
namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};
// Boxes above this number are left as they are: looking for larger ones takes the square of it.
constexpr std::size_t max_to_simplify = 200;

// The bits that tell apart two values of the interval, and all below them.
std::uint64_t varying_bits(const ValueSet& set) {
    const auto width = static_cast<int>(std::bit_width(set.low ^ set.high));
    return width == 64 ? all_ones : (std::uint64_t{1} << width) - 1;
}

// The smallest x >= from with (x & mask) == value.
std::optional<std::uint64_t> next_match(std::uint64_t from, std::uint64_t mask, std::uint64_t value) {
    // What is below the first fixed bit that differs becomes as small as can be.
    const std::uint64_t differing = (from ^ value) & mask;
    if (differing == 0) return from;
    const int top = static_cast<int>(std::bit_width(differing)) - 1;
    const std::uint64_t bit = std::uint64_t{1} << top;
    const std::uint64_t below = bit - 1;
    if ((value & bit) != 0) return (from & ~below) | bit | (value & mask & below);
    // The fixed bit is 0 where `from` has 1: carry into the lowest free bit above it that is 0.
    for (int at = top + 1; at < 64; ++at) {
        const std::uint64_t higher = std::uint64_t{1} << at;
        if ((mask & higher) != 0 || (from & higher) != 0) continue;
        const std::uint64_t under = higher - 1;
        return ((from & ~under) | higher) | (value & mask & under);
    }
    return std::nullopt;
}

// Bounds as tight as they can be, and no mask where the bounds say it all: equal sets of this kind then
// mostly look the same. Empty for no values.
std::optional<ValueSet> tightened(ValueSet set) {
    if (set.low > set.high || (set.value & ~set.mask) != 0) return std::nullopt;
    const auto first = next_match(set.low, set.mask, set.value);
    if (!first || *first > set.high) return std::nullopt;
    // Mirrored, the last match is the first one.
    const auto last = next_match(~set.high, set.mask, ~set.value & set.mask);
    set.low = *first;
    set.high = ~*last;
    if ((set.mask & varying_bits(set)) == 0) set.mask = set.value = 0;
    // Bits that all of the interval share need not be in the mask.
    set.mask &= varying_bits(set);
    set.value &= set.mask;
    return set;
}

// Which most often is so: most arguments may be anything.
bool is_interval_around(const ValueSet& whole, const ValueSet& part) {
    return whole.mask == 0 && whole.low <= part.low && part.high <= whole.high;
}

// Of sets that are tight, as all in boxes are.
std::optional<ValueSet> intersection(const ValueSet& a, const ValueSet& b) {
    if (is_interval_around(b, a)) return a;
    if (is_interval_around(a, b)) return tightened(b);
    if (((a.value ^ b.value) & a.mask & b.mask) != 0) return std::nullopt;
    return tightened({std::max(a.low, b.low), std::min(a.high, b.high), a.mask | b.mask, a.value | b.value});
}

// Disjoint pieces.
std::vector<ValueSet> difference(const ValueSet& a, const ValueSet& b) {
    std::vector<ValueSet> pieces;
    if (is_interval_around(b, a)) return pieces;
    const auto add = [&](const ValueSet& limits) {
        if (const auto piece = intersection(a, limits)) pieces.push_back(*piece);
    };
    if (b.low > 0) add({0, b.low - 1, 0, 0});
    if (b.high < all_ones) add({b.high + 1, all_ones, 0, 0});
    std::uint64_t agreed = 0;
    for (std::uint64_t rest = b.mask; rest != 0; rest &= rest - 1) {
        const std::uint64_t bit = rest & (~rest + 1);
        add({b.low, b.high, agreed | bit, (b.value & agreed) | (~b.value & bit)});
        agreed |= bit;
    }
    return pieces;
}

// As an empty difference, and asked so often that it must not build one.
bool covers(const ValueSet& whole, const ValueSet& part) {
    if (part.low < whole.low || whole.high < part.high) return false;
    const std::uint64_t fixed = part.mask | ~varying_bits(part);
    if (((part.low ^ whole.value) & whole.mask & fixed) != 0) return false;
    for (std::uint64_t rest = whole.mask & ~fixed; rest != 0; rest &= rest - 1) {
        const std::uint64_t bit = rest & (~rest + 1);
        if (intersection(part, {0, all_ones, bit, ~whole.value & bit})) return false;
    }
    return true;
}

std::optional<ArgumentBox> intersection(const ArgumentBox& a, const ArgumentBox& b) {
    ArgumentBox both;
    for (std::size_t i = 0; i < argument_count; ++i) {
        const auto values = intersection(a[i], b[i]);
        if (!values) return std::nullopt;
        both[i] = *values;
    }
    return both;
}

// Disjoint pieces.
std::vector<ArgumentBox> difference(const ArgumentBox& a, const ArgumentBox& b) {
    const auto common = intersection(a, b);
    if (!common) return {a};
    std::vector<ArgumentBox> pieces;
    ArgumentBox rest = a;
    for (std::size_t i = 0; i < argument_count; ++i) {
        for (const ValueSet& values : difference(a[i], b[i])) {
            ArgumentBox piece = rest;
            piece[i] = values;
            pieces.push_back(piece);
        }
        rest[i] = (*common)[i];
    }
    return pieces;
}

bool covers(const ArgumentBox& whole, const ArgumentBox& part) {
    for (std::size_t i = 0; i < argument_count; ++i)
        if (!covers(whole[i], part[i])) return false;
    return true;
}

void add(std::vector<ArgumentBox>& boxes, const ArgumentBox& box) {
    if (std::any_of(boxes.begin(), boxes.end(), [&](const ArgumentBox& other) { return covers(other, box); }))
        return;
    boxes.erase(std::remove_if(boxes.begin(), boxes.end(),
                               [&](const ArgumentBox& other) { return covers(box, other); }),
                boxes.end());
    boxes.push_back(box);
}

// Some members: the corners, and some within where there are any.
std::array<Arguments, 4> samples_of(const ArgumentBox& box) {
    std::array<Arguments, 4> samples;
    for (std::size_t i = 0; i < argument_count; ++i) {
        const ValueSet& values = box[i];
        const auto within = [&](std::uint64_t parts, std::uint64_t of) {
            const std::uint64_t from = values.low + (values.high - values.low) / of * parts;
            return next_match(from, values.mask, values.value & values.mask).value_or(values.low);
        };
        samples[0][i] = values.low;
        samples[1][i] = values.high;
        samples[2][i] = std::min(within(1, 3), values.high);
        samples[3][i] = std::min(within(3, 5), values.high);
    }
    return samples;
}

ValueSet everything(ArgumentWidth width) { return {0, largest_argument(width), 0, 0}; }

// The same values by a mask alone, where that can be.
std::optional<ValueSet> as_mask(const ValueSet& values, ArgumentWidth width) {
    const std::uint64_t most = largest_argument(width);
    const std::uint64_t fixed = ~varying_bits(values) & most;
    for (const std::uint64_t mask : {values.mask, values.mask | fixed}) {
        const ValueSet masked{0, most, mask, values.low & mask};
        if (mask != 0 && tightened(masked) == values) return masked;
    }
    return std::nullopt;
}

// ---- from conditions ----

std::vector<ValueSet> values_of(const ArgumentCondition& condition, ArgumentWidth width) {
    const std::uint64_t most = largest_argument(width);
    const std::uint64_t value = condition.value & most;
    const std::uint64_t value_two = condition.value_two & most;
    std::vector<ValueSet> sets;
    const auto add_values = [&](const ValueSet& set) {
        if (const auto some = tightened(set)) sets.push_back(*some);
    };
    if (condition.op == Comparison::eq) {
        add_values({value, value, 0, 0});
    } else if (condition.op == Comparison::ne) {
        if (value != 0) add_values({0, value - 1, 0, 0});
        if (value != most) add_values({value + 1, most, 0, 0});
    } else if (condition.op == Comparison::lt) {
        if (value != 0) add_values({0, value - 1, 0, 0});
    } else if (condition.op == Comparison::le) {
        add_values({0, value, 0, 0});
    } else if (condition.op == Comparison::ge) {
        add_values({value, most, 0, 0});
    } else if (condition.op == Comparison::gt) {
        if (value != most) add_values({value + 1, most, 0, 0});
    } else if (condition.op == Comparison::masked_eq) {
        add_values({0, most, value, value_two & value});
    }
    return sets;
}

ArgumentSet set_of_one(const ArgumentCondition& condition, ArgumentWidth width) {
    ArgumentSet set;
    if (condition.index >= argument_count) return set;
    for (const ValueSet& values : values_of(condition, width)) {
        ArgumentBox box = all_arguments(width).boxes.front();
        box[condition.index] = values;
        set.boxes.push_back(box);
    }
    return set;
}

// ---- and back ----

// The aligned blocks of a power of two that an interval consists of.
std::vector<ValueSet> blocks(std::uint64_t low, std::uint64_t high) {
    std::vector<ValueSet> list;
    for (;;) {
        int bits = low == 0 ? 64 : std::countr_zero(low);
        const auto last = [&] { return bits == 64 ? all_ones : low + ((std::uint64_t{1} << bits) - 1); };
        while (last() > high || last() < low) --bits;
        const std::uint64_t mask = bits == 64 ? 0 : all_ones << bits;
        list.push_back({low, last(), mask, low & mask});
        if (last() == high) return list;
        low = last() + 1;
    }
}

// A box some of whose arguments may have any value but one: what two boxes are that differ in that only.
struct Written {
    ArgumentBox box;
    std::array<std::optional<std::uint64_t>, argument_count> other_than;
};

std::optional<Written> joined(const Written& a, const Written& b, ArgumentWidth width) {
    std::optional<std::size_t> differing;
    for (std::size_t i = 0; i < argument_count; ++i) {
        if (a.box[i] == b.box[i] && a.other_than[i] == b.other_than[i]) continue;
        if (differing || a.other_than[i] || b.other_than[i]) return std::nullopt;
        differing = i;
    }
    if (!differing) return std::nullopt;
    const bool a_below = a.box[*differing].low == 0;
    const ValueSet below = (a_below ? a : b).box[*differing];
    const ValueSet above = (a_below ? b : a).box[*differing];
    if (below.mask != 0 || above.mask != 0 || below.low != 0 || above.high != largest_argument(width) ||
        above.low - below.high != 2)
        return std::nullopt;
    Written both = a;
    both.box[*differing] = everything(width);
    both.other_than[*differing] = below.high + 1;
    return both;
}

// Each alternative is what one condition can say; without a condition the argument may be anything.
std::vector<std::optional<ArgumentCondition>> alternatives(std::uint32_t index, const ValueSet& values,
                                                           ArgumentWidth width, bool only_masks) {
    const std::uint64_t most = largest_argument(width);
    const auto one = [&](Comparison op, std::uint64_t value, std::uint64_t value_two = 0) {
        return std::optional(ArgumentCondition{index, value, value_two, op});
    };
    if (values == everything(width)) return {std::nullopt};
    if (values.low == values.high) return {one(Comparison::eq, values.low)};
    if (values.mask == 0 && !only_masks) {
        if (values.low == 0) return {one(Comparison::le, values.high)};
        if (values.high == most) return {one(Comparison::ge, values.low)};
    }
    if (const auto mask = as_mask(values, width))
        return {one(Comparison::masked_eq, mask->mask, mask->value)};
    std::vector<std::optional<ArgumentCondition>> list;
    for (const ValueSet& block : blocks(values.low, values.high)) {
        if (((block.value ^ values.value) & block.mask & values.mask) != 0) continue;
        // Above the width all arguments are alike.
        const std::uint64_t mask = (block.mask | values.mask) & most;
        const std::uint64_t value = (block.value | values.value) & most;
        list.push_back(mask == most ? one(Comparison::eq, value) : one(Comparison::masked_eq, mask, value));
    }
    return list;
}

}  // namespace

std::uint64_t largest_argument(ArgumentWidth width) {
    return width == ArgumentWidth::bits32 ? UINT32_MAX : UINT64_MAX;
}

ArgumentWidth argument_width(Abi abi) {
    return info(abi).bits == 32 ? ArgumentWidth::bits32 : ArgumentWidth::bits64;
}

bool ArgumentSet::contains(const Arguments& arguments) const {
    return std::any_of(boxes.begin(), boxes.end(), [&](const ArgumentBox& box) {
        for (std::size_t i = 0; i < argument_count; ++i)
            if (!box[i].contains(arguments[i])) return false;
        return true;
    });
}

ArgumentSet all_arguments(ArgumentWidth width) {
    ArgumentBox box;
    box.fill(everything(width));
    return {{box}};
}

bool repeats_an_index(std::span<const ArgumentCondition> conditions) {
    std::uint32_t seen = 0;
    for (const ArgumentCondition& condition : conditions) {
        if (condition.index >= argument_count) continue;
        if ((seen >> condition.index & 1) != 0) return true;
        seen |= 1U << condition.index;
    }
    return false;
}

ArgumentSet set_of(std::span<const ArgumentCondition> conditions, ArgumentWidth width) {
    if (conditions.empty()) return all_arguments(width);
    const bool alternative = repeats_an_index(conditions);
    ArgumentSet set = alternative ? ArgumentSet{} : all_arguments(width);
    for (const ArgumentCondition& condition : conditions) {
        const ArgumentSet one = set_of_one(condition, width);
        set = alternative ? union_of(set, one) : intersection(set, one);
    }
    return set;
}

ArgumentSet union_of(const ArgumentSet& a, const ArgumentSet& b) {
    ArgumentSet either = a;
    for (const ArgumentBox& box : b.boxes) add(either.boxes, box);
    return either;
}

ArgumentSet intersection(const ArgumentSet& a, const ArgumentSet& b) {
    ArgumentSet both;
    for (const ArgumentBox& one : a.boxes)
        for (const ArgumentBox& other : b.boxes)
            if (const auto box = intersection(one, other)) add(both.boxes, *box);
    return both;
}

std::optional<ArgumentSet> difference(const ArgumentSet& a, const ArgumentSet& b, std::size_t most) {
    ArgumentSet rest = a;
    for (const ArgumentBox& box : b.boxes) {
        std::vector<ArgumentBox> pieces;
        for (const ArgumentBox& one : rest.boxes) {
            const auto some = difference(one, box);
            pieces.insert(pieces.end(), some.begin(), some.end());
            if (pieces.size() > most) return std::nullopt;
        }
        rest.boxes = std::move(pieces);
        if (rest.empty()) break;
    }
    return rest;
}

bool covers(const ArgumentSet& whole, const ArgumentSet& part, std::size_t most) {
    for (const ArgumentBox& box : part.boxes) {
        if (std::any_of(whole.boxes.begin(), whole.boxes.end(),
                        [&](const ArgumentBox& one) { return covers(one, box); }))
            continue;
        // One member that is outside says more in less time than all that are.
        const auto samples = samples_of(box);
        if (!std::all_of(samples.begin(), samples.end(),
                         [&](const Arguments& arguments) { return whole.contains(arguments); }))
            return false;
        const auto rest = difference(ArgumentSet{{box}}, whole, most);
        if (!rest || !rest->empty()) return false;
    }
    return true;
}

ArgumentSet simplified(const ArgumentSet& set, ArgumentWidth width) {
    if (set.boxes.size() > max_to_simplify) return set;
    ArgumentSet simple;
    for (ArgumentBox box : set.boxes) {
        // Take away limit after limit, as long as nothing new comes in.
        const auto widen = [&](std::size_t i, ValueSet values) {
            const auto tight = tightened(values);
            if (!tight || *tight == box[i]) return;
            ArgumentBox wider = box;
            wider[i] = *tight;
            if (covers(set, {{wider}}, max_to_simplify)) box = wider;
        };
        for (std::size_t i = 0; i < argument_count; ++i) {
            const ValueSet all = everything(width);
            if (box[i] == all) continue;
            widen(i, all);
            widen(i, {0, box[i].high, box[i].mask, box[i].value});
            widen(i, {box[i].low, all.high, box[i].mask, box[i].value});
            widen(i, {box[i].low, box[i].high, 0, 0});
        }
        add(simple.boxes, box);
    }
    return simple;
}

std::vector<Conditions> conditions_of(const ArgumentSet& set, ArgumentWidth width, bool only_masks,
                                      std::size_t most) {
    std::vector<Written> list;
    for (const ArgumentBox& box : simplified(set, width).boxes) list.push_back({box, {}});
    for (std::size_t i = 0, j = 1; !only_masks && i + 1 < list.size();) {
        if (const auto both = joined(list[i], list[j], width)) {
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(j));
            list[i] = *both;
            i = 0;  // from the beginning: it may join with one that was passed over
            j = 1;
        } else if (++j == list.size()) {
            j = ++i + 1;
        }
    }
    std::vector<Conditions> rules;
    for (const Written& written : list) {
        std::vector<Conditions> of_box{{}};
        for (std::uint32_t index = 0; index < argument_count && of_box.size() <= most; ++index) {
            std::vector<std::optional<ArgumentCondition>> choices;
            if (const auto value = written.other_than[index])
                choices = {ArgumentCondition{index, *value, 0, Comparison::ne}};
            else
                choices = alternatives(index, written.box[index], width, only_masks);
            std::vector<Conditions> longer;
            for (const Conditions& conditions : of_box)
                for (const auto& choice : choices) {
                    longer.push_back(conditions);
                    if (choice) longer.back().push_back(*choice);
                }
            of_box = std::move(longer);
        }
        rules.insert(rules.end(), of_box.begin(), of_box.end());
        if (rules.size() > most) break;
    }
    return rules;
}

bool compiles_as_read(std::span<const Conditions> rules) {
    if (rules.size() < 2) return true;
    const auto by_mask = [](const ArgumentCondition& condition) {
        return condition.op == Comparison::eq || condition.op == Comparison::masked_eq;
    };
    const bool only_masks = std::all_of(rules.begin(), rules.end(), [&](const Conditions& conditions) {
        return std::all_of(conditions.begin(), conditions.end(), by_mask);
    });
    const bool one_small_condition_each =
        std::all_of(rules.begin(), rules.end(), [&](const Conditions& conditions) {
            return conditions.size() < 2 &&
                   std::all_of(conditions.begin(), conditions.end(), [&](const ArgumentCondition& condition) {
                       return condition.value <= UINT32_MAX;
                   });
        });
    return only_masks || one_small_condition_each;
}

}  // namespace callcensus
