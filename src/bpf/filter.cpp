#include "bpf/filter.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <map>

namespace callcensus {
namespace {

constexpr std::uint32_t largest_jump = 255;  // conditional jumps have 8 bits

sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }

// if (accumulator `test` value) yes; else no. Both end in an answer.
Filter branch(std::uint16_t test, std::uint32_t value, const Filter& yes, const Filter& no) {
    Filter code;
    if (no.size() <= largest_jump) {
        code.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value,
                                static_cast<std::uint8_t>(no.size()), 0));
    } else {
        code.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, 1));
        code.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(no.size())));
    }
    code.insert(code.end(), no.begin(), no.end());
    code.insert(code.end(), yes.begin(), yes.end());
    return code;
}

// Seccomp data is in the machine's byte order, and so the low half of an argument comes first or last.
Filter decide(const Exception& exception, std::uint32_t otherwise) {
    const std::size_t low_half = std::endian::native == std::endian::little ? 0 : sizeof(std::uint32_t);
    Filter code{load(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * exception.argument + low_half)};
    const Filter decision = branch(exception.test == Exception::Test::equals ? BPF_JEQ : BPF_JSET,
                                   exception.value, {answer(otherwise)}, {answer(SECCOMP_RET_ALLOW)});
    code.insert(code.end(), decision.begin(), decision.end());
    return code;
}

// From `first` on, up to the next interval, this is what happens.
struct Interval {
    std::uint32_t first;
    const Exception* exception;  // or null
    bool known;
};

std::vector<Interval> intervals(std::span<const std::uint32_t> numbers,
                                const std::map<std::uint32_t, const Exception*>& exceptions) {
    std::vector<Interval> list{{0, nullptr, false}};
    const auto begin = [&](Interval next) {
        Interval& last = list.back();
        if (last.first == next.first)
            last = next;
        else if (last.known != next.known || last.exception != nullptr || next.exception != nullptr)
            list.push_back(next);
    };
    for (const std::uint32_t number : numbers) {
        const auto exception = exceptions.find(number);
        begin({number, exception == exceptions.end() ? nullptr : exception->second, true});
        if (number != UINT32_MAX) begin({number + 1, nullptr, false});
    }
    return list;
}

Filter search(std::span<const Interval> list, std::uint32_t otherwise) {
    if (list.size() == 1) {
        const Interval& only = list.front();
        if (only.exception != nullptr) return decide(*only.exception, otherwise);
        return {answer(only.known ? SECCOMP_RET_ALLOW : otherwise)};
    }
    const std::size_t middle = list.size() / 2;
    return branch(BPF_JGE, list[middle].first, search(list.subspan(middle), otherwise),
                  search(list.first(middle), otherwise));
}

constexpr std::uint8_t fails = 255;  // a jump whose target is not known yet

sock_filter compare(std::uint16_t test, std::uint32_t value, std::uint8_t if_so, std::uint8_t if_not) {
    return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, if_so, if_not);
}

// Goes on after itself where the condition holds. Of an ABI of 32 bits only the low half counts, as for
// libseccomp: of a 64-bit process that calls by int 0x80 the kernel shows the whole registers to the filter,
// and then takes their low halves (seen with Linux 6.18; syscall_get_arguments(), arch/x86/include/asm).
Filter test_of(const ArgumentRule::Condition& condition, bool is_32_bit) {
    constexpr std::uint32_t half = sizeof(std::uint32_t);
    constexpr bool low_first = std::endian::native == std::endian::little;
    const auto place =
        static_cast<std::uint32_t>(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * condition.argument);
    const sock_filter load_low = load(place + (low_first ? 0 : half));
    const sock_filter load_high = load(place + (low_first ? half : 0));
    const auto low = static_cast<std::uint32_t>(condition.value);
    const auto high = static_cast<std::uint32_t>(condition.value >> 32);
    const auto low_mask = static_cast<std::uint32_t>(condition.mask);
    if (is_32_bit) switch (condition.test) {
            case ArgumentRule::Test::equals_masked:
                return {load_low, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, low_mask),
                        compare(BPF_JEQ, low & low_mask, 0, fails)};
            case ArgumentRule::Test::other_than:
                return {load_low, compare(BPF_JEQ, low, fails, 0)};
            case ArgumentRule::Test::at_least:
                return {load_low, compare(BPF_JGE, low, 0, fails)};
            case ArgumentRule::Test::at_most:
                return {load_low, compare(BPF_JGT, low, fails, 0)};
        }
    switch (condition.test) {
        case ArgumentRule::Test::equals_masked: {
            const auto high_mask = static_cast<std::uint32_t>(condition.mask >> 32);
            return {load_high,
                    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, high_mask),
                    compare(BPF_JEQ, high & high_mask, 0, fails),
                    load_low,
                    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, low_mask),
                    compare(BPF_JEQ, low & low_mask, 0, fails)};
        }
        case ArgumentRule::Test::other_than:
            return {load_high, compare(BPF_JEQ, high, 0, 2), load_low, compare(BPF_JEQ, low, fails, 0)};
        case ArgumentRule::Test::at_least:
            return {load_high, compare(BPF_JGT, high, 3, 0), compare(BPF_JEQ, high, 0, fails), load_low,
                    compare(BPF_JGE, low, 0, fails)};
        case ArgumentRule::Test::at_most:
            return {load_high, compare(BPF_JGT, high, fails, 0), compare(BPF_JEQ, high, 0, 2), load_low,
                    compare(BPF_JGT, low, fails, 0)};
    }
    return {};
}

}  // namespace

std::optional<Filter> known_set_filter(const SyscallSet& known, std::span<const Exception> exceptions,
                                       std::uint32_t otherwise) {
    // By what the kernel tells apart: x32 has x86_64's value and numbers of its own.
    std::map<std::uint32_t, std::vector<std::uint32_t>> numbers;
    for (const Syscall call : known) numbers[info(call.abi).audit_arch].push_back(call.number);

    Filter code{answer(otherwise)};
    for (auto& [arch, of_arch] : numbers) {
        std::map<std::uint32_t, const Exception*> excepted;
        for (const Exception& exception : exceptions)
            if (info(exception.call.abi).audit_arch == arch) excepted[exception.call.number] = &exception;
        std::sort(of_arch.begin(), of_arch.end());
        Filter section{load(offsetof(seccomp_data, nr))};
        const Filter tree = search(intervals(of_arch, excepted), otherwise);
        section.insert(section.end(), tree.begin(), tree.end());
        code = branch(BPF_JEQ, arch, section, code);
    }
    code.insert(code.begin(), load(offsetof(seccomp_data, arch)));
    if (code.size() > BPF_MAXINSNS) return std::nullopt;
    return code;
}

Filter decide_first(Syscall call, std::span<const ArgumentRule> rules, std::uint32_t otherwise,
                    const Filter& rest) {
    Filter decision;
    for (const ArgumentRule& rule : rules) {
        Filter code;
        for (const ArgumentRule::Condition& condition : rule.conditions) {
            const Filter test = test_of(condition, info(call.abi).bits == 32);
            code.insert(code.end(), test.begin(), test.end());
        }
        code.push_back(answer(rule.answer));
        // What does not hold leads to the next rule.
        for (std::size_t at = 0; at < code.size(); ++at)
            for (std::uint8_t* target : {&code[at].jt, &code[at].jf})
                if (*target == fails) *target = static_cast<std::uint8_t>(code.size() - at - 1);
        decision.insert(decision.end(), code.begin(), code.end());
    }
    decision.push_back(answer(otherwise));

    Filter number{load(offsetof(seccomp_data, nr))};
    const Filter by_number = branch(BPF_JEQ, call.number, decision, rest);
    number.insert(number.end(), by_number.begin(), by_number.end());
    Filter code{load(offsetof(seccomp_data, arch))};
    // One copy of the rest: after the test of the number, to which another architecture jumps.
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, info(call.abi).audit_arch, 1, 0));
    const std::size_t to_rest = by_number.size() - rest.size() - decision.size();
    code.push_back(
        BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(number.size() - by_number.size() + to_rest)));
    code.insert(code.end(), number.begin(), number.end());
    return code;
}

std::optional<std::uint32_t> evaluate(const Filter& filter, const seccomp_data& data) {
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < filter.size(); ++at) {  // jumps only go forward, so that this ends
        const sock_filter& code = filter[at];
        const auto jump_if = [&](bool condition) { at += condition ? code.jt : code.jf; };
        switch (code.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                if (code.k % sizeof accumulator != 0 || code.k > sizeof data - sizeof accumulator)
                    return std::nullopt;
                std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + code.k, sizeof accumulator);
                break;
            case BPF_JMP | BPF_JA:
                at += code.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                jump_if(accumulator == code.k);
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                jump_if(accumulator > code.k);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                jump_if(accumulator >= code.k);
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                jump_if((accumulator & code.k) != 0);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                accumulator &= code.k;
                break;
            case BPF_RET | BPF_K:
                return code.k;
            default:
                return std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace callcensus
