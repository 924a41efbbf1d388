#include "record/ptrace/census_filter.hpp"

#include <linux/sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "model/argument_rules.hpp"

namespace callcensus::ptrace {
namespace {

// clone3 has its flags in memory, where no filter can look.
constexpr std::array<std::string_view, 3> always_stopped{"seccomp", "ptrace", "clone3"};

// Tests of arguments are made before all else and so cost each call that the kernel has no constant answer
// for.
constexpr std::size_t longest_with_arguments = BPF_MAXINSNS / 2;

constexpr std::array<Abi, 3> abis{Abi::x86_64, Abi::i386, Abi::x32};

}  // namespace

bool passes_when_known(Syscall call) {
    return std::none_of(always_stopped.begin(), always_stopped.end(),
                        [&](std::string_view name) { return syscall_number(call.abi, name) == call.number; });
}

std::optional<Filter> census_filter(const SyscallSet& known, const std::map<Syscall, ArgumentSet>& known_if) {
    SyscallSet let_through = known;
    std::set<Syscall> stopped;
    std::vector<Exception> exceptions;
    for (const Abi abi : abis) {
        for (const std::string_view name : always_stopped)
            if (const auto number = syscall_number(abi, name)) stopped.insert({abi, *number});
        if (const auto prctl = syscall_number(abi, "prctl"))
            exceptions.push_back({{abi, *prctl}, 0, Exception::Test::equals, PR_SET_SECCOMP});
        if (const auto clone = syscall_number(abi, "clone"))
            exceptions.push_back({{abi, *clone}, 0, Exception::Test::has_bit, CLONE_UNTRACED});
    }
    for (const Syscall call : stopped) let_through.erase(call);
    for (const Exception& exception : exceptions) stopped.insert(exception.call);

    constexpr std::uint32_t stop = SECCOMP_RET_TRACE | our_filter_data;
    auto filter = known_set_filter(let_through, exceptions, stop);
    for (const auto& [call, arguments] : known_if) {
        if (!filter || let_through.contains(call) || stopped.count(call) != 0) continue;
        const auto rules = argument_rules(arguments, argument_width(call.abi), SECCOMP_RET_ALLOW);
        Filter longer = decide_first(call, rules, stop, *filter);
        if (longer.size() > longest_with_arguments) break;  // the others stop each time
        filter = std::move(longer);
    }
    return filter;
}

}  // namespace callcensus::ptrace
