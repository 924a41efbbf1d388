#include "record/ptrace/census_filter.hpp"

#include <linux/sched.h>
#include <sys/prctl.h>

#include <array>
#include <string_view>
#include <vector>

namespace callcensus::ptrace {
namespace {

// clone3 has its flags in memory, where no filter can look.
constexpr std::array<std::string_view, 3> always_stopped{"seccomp", "ptrace", "clone3"};

constexpr std::array<Abi, 3> abis{Abi::x86_64, Abi::i386, Abi::x32};

}  // namespace

std::optional<Filter> census_filter(const SyscallSet& known) {
    SyscallSet let_through = known;
    std::vector<Exception> exceptions;
    for (const Abi abi : abis) {
        for (const std::string_view name : always_stopped)
            if (const auto number = syscall_number(abi, name)) let_through.erase({abi, *number});
        if (const auto prctl = syscall_number(abi, "prctl"))
            exceptions.push_back({{abi, *prctl}, 0, Exception::Test::equals, PR_SET_SECCOMP});
        if (const auto clone = syscall_number(abi, "clone"))
            exceptions.push_back({{abi, *clone}, 0, Exception::Test::has_bit, CLONE_UNTRACED});
    }
    return known_set_filter(let_through, exceptions, SECCOMP_RET_TRACE | our_filter_data);
}

}  // namespace callcensus::ptrace
