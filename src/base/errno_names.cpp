#include "base/errno_names.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace callcensus {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 4> restarts{{
    {512, "ERESTARTSYS"},
    {513, "ERESTARTNOINTR"},
    {514, "ERESTARTNOHAND"},
    {516, "ERESTART_RESTARTBLOCK"},
}};
constexpr int max_errno = 4095;  // MAX_ERRNO, include/linux/err.h

}  // namespace

std::string errno_name(int errnum) {
    for (const auto& [number, name] : restarts)
        if (number == errnum) return std::string(name);
    const char* name = strerrorname_np(errnum);
    return name != nullptr ? std::string(name) : "E" + std::to_string(errnum);
}

std::optional<int> errno_from_name(std::string_view name) {
    if (name == "EWOULDBLOCK") return EAGAIN;
    if (name == "EOPNOTSUPP") return EOPNOTSUPP;
    if (name == "EDEADLOCK") return EDEADLK;
    for (const auto& [number, restart] : restarts)
        if (restart == name) return number;
    if (!name.empty() && name.front() == 'E') {  // "E1234", but not "E2BIG"
        int number = 0;
        const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size())
            return number > 0 && number <= max_errno ? std::optional(number) : std::nullopt;
    }
    for (int number = 1; number <= max_errno; ++number) {
        const char* candidate = strerrorname_np(number);
        if (candidate != nullptr && name == candidate) return number;
    }
    return std::nullopt;
}

}  // namespace callcensus
