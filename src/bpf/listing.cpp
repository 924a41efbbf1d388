#include "bpf/listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/errno_names.hpp"

namespace callcensus {
namespace {

// What is known at an instruction, whichever way led there.
struct State {
    bool reached = false;
    std::optional<std::uint32_t> loaded;  // offset in seccomp_data of what was loaded last
    bool masked = false;                  // and of it some bits only
    std::optional<std::uint32_t> arch;    // of the call, once tested

    void join(const State& other) {
        if (!other.reached) return;
        if (!reached) {
            *this = other;
            return;
        }
        if (loaded != other.loaded) loaded.reset();
        if (arch != other.arch) arch.reset();
        masked = masked || other.masked;
    }
};

std::string field(std::uint32_t offset) {
    if (offset == offsetof(seccomp_data, nr)) return "number";
    if (offset == offsetof(seccomp_data, arch)) return "arch";
    const auto word = [&](std::size_t base) { return (offset - base) % 8 == 0 ? "low" : "high"; };
    if (offset < offsetof(seccomp_data, args))
        return fmt::format("{} half of the instruction pointer",
                           word(offsetof(seccomp_data, instruction_pointer)));
    constexpr std::size_t first = offsetof(seccomp_data, args);
    return fmt::format("{} half of arg{}", word(first), (offset - first) / 8);
}

std::string answer_text(std::uint32_t value) {
    const std::uint32_t data = value & SECCOMP_RET_DATA;
    switch (value & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
            return "ALLOW";
        case SECCOMP_RET_LOG:
            return "LOG";
        case SECCOMP_RET_ERRNO:
            return fmt::format("ERRNO {} ({})", data, errno_name(static_cast<int>(data)));
        case SECCOMP_RET_TRACE:
            return fmt::format("TRACE {}", data);
        case SECCOMP_RET_TRAP:
            return "TRAP";
        case SECCOMP_RET_USER_NOTIF:
            return "NOTIFY";
        case SECCOMP_RET_KILL_THREAD:
            return "KILL_THREAD";
        case SECCOMP_RET_KILL_PROCESS:
            return "KILL_PROCESS";
        default:
            return fmt::format("{:#010x}", value);
    }
}

// The constant of a test, with its name where it is that of an ABI or of a call.
std::string constant(std::uint32_t value, const State& state) {
    if (state.loaded == offsetof(seccomp_data, arch)) {
        const auto rows = all_abis();
        const auto row = std::find_if(rows.begin(), rows.end(),
                                      [&](const AbiInfo& abi) { return abi.audit_arch == value; });
        return row == rows.end() ? fmt::format("{:#x}", value) : fmt::format("{:#x} ({})", value, row->id);
    }
    if (state.loaded != offsetof(seccomp_data, nr) || state.masked) return fmt::format("{:#x}", value);
    const auto call = state.arch ? identify(*state.arch, value) : std::nullopt;
    const std::string name = call ? syscall_name(*call) : std::string();
    return name.empty() ? std::to_string(value) : fmt::format("{} ({})", value, name);
}

struct Test {
    std::uint16_t code;
    std::string_view holds, fails;
};
constexpr std::array tests{
    Test{BPF_JMP | BPF_JEQ | BPF_K, "==", "!="},
    Test{BPF_JMP | BPF_JGT | BPF_K, ">", "<="},
    Test{BPF_JMP | BPF_JGE | BPF_K, ">=", "<"},
    Test{BPF_JMP | BPF_JSET | BPF_K, "has a bit of", "has no bit of"},
};

std::string described(const sock_filter& code, std::size_t at, const State& state) {
    const std::size_t next = at + 1;
    for (const Test& test : tests) {
        if (test.code != code.code) continue;
        const bool is_equal = code.code == (BPF_JMP | BPF_JEQ | BPF_K);
        const std::string value = is_equal ? constant(code.k, state) : fmt::format("{:#x}", code.k);
        if (code.jt == code.jf) return fmt::format("goto {}", next + code.jt);
        if (code.jf == 0) return fmt::format("if it {} {} goto {}", test.holds, value, next + code.jt);
        if (code.jt == 0) return fmt::format("if it {} {} goto {}", test.fails, value, next + code.jf);
        return fmt::format("if it {} {} goto {} else goto {}", test.holds, value, next + code.jt,
                           next + code.jf);
    }
    switch (code.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            return "load " + field(code.k);
        case BPF_ALU | BPF_AND | BPF_K:
            return fmt::format("keep of it the bits {:#x}", code.k);
        case BPF_JMP | BPF_JA:
            return fmt::format("goto {}", next + code.k);
        case BPF_RET | BPF_K:
            return "return " + answer_text(code.k);
        default:
            return fmt::format("code {:#x}, jt {}, jf {}, k {:#x}", code.code, code.jt, code.jf, code.k);
    }
}

}  // namespace

std::string listing(const Filter& filter) {
    std::string text;
    std::vector<State> states(filter.size());
    if (!states.empty()) states.front().reached = true;
    const auto leads_to = [&](std::size_t target, const State& state) {
        if (target < states.size()) states[target].join(state);
    };
    // Jumps only go forward, so that all that leads to an instruction has been seen when it comes.
    for (std::size_t at = 0; at < filter.size(); ++at) {
        const sock_filter& code = filter[at];
        State state = states[at];
        text += fmt::format("{:4}  {}\n", at, described(code, at, state));
        if (code.code == (BPF_LD | BPF_W | BPF_ABS)) {
            state.loaded = code.k;
            state.masked = false;
        }
        state.masked = state.masked || code.code == (BPF_ALU | BPF_AND | BPF_K);
        if (code.code == (BPF_RET | BPF_K)) continue;
        if (code.code == (BPF_JMP | BPF_JA)) {
            leads_to(at + 1 + code.k, state);
        } else if (BPF_CLASS(code.code) == BPF_JMP) {
            leads_to(at + 1 + code.jf, state);
            if (code.code == (BPF_JMP | BPF_JEQ | BPF_K) && state.loaded == offsetof(seccomp_data, arch))
                state.arch = code.k;
            leads_to(at + 1 + code.jt, state);
        } else {
            leads_to(at + 1, state);
        }
    }
    return text;
}

}  // namespace callcensus
