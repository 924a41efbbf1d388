#include "record/ptrace/untraced_clone.hpp"

#include <linux/sched.h>

#include "abi/known_call.hpp"

namespace callcensus::ptrace {
namespace {

// CONFIG_CLONE_BACKWARDS2: s390 has the stack first.
std::size_t flags_position(Abi abi) { return abi == Abi::s390 || abi == Abi::s390x ? 1 : 0; }

bool set_flags(const StoppedTask& task, const CloneFlags& call, std::uint64_t flags) {
    return call.is_clone3 ? task.write_word(call.address, flags) : task.set_first_argument(flags);
}

}  // namespace

std::optional<bool> CloneFlags::makes_thread() const {
    return flags ? std::optional((*flags & CLONE_THREAD) != 0) : std::nullopt;
}
bool CloneFlags::untraced() const { return flags && (*flags & CLONE_UNTRACED) != 0; }

std::optional<CloneFlags> clone_flags(const StoppedTask& task, Syscall call,
                                      const std::array<std::uint64_t, 6>& arguments) {
    static const KnownCall clone_call("clone"), clone3_call("clone3");
    if (clone_call.is(call)) return CloneFlags{false, 0, arguments[flags_position(call.abi)]};
    if (!clone3_call.is(call)) return std::nullopt;
    // The flags are the first member of struct clone_args.
    return CloneFlags{true, arguments[0], task.read_word(arguments[0])};
}

bool hide_untraced(const StoppedTask& task, const CloneFlags& call) {
    return set_flags(task, call, *call.flags & ~std::uint64_t{CLONE_UNTRACED});
}

std::string how_it_escaped(const std::optional<CloneFlags>& call) {
    if (call && call->is_clone3 && call->flags)
        return "a process or thread could not be followed: clone3 was called with flags in memory to which "
               "CLONE_UNTRACED was added while the call was under way";
    return "a process or thread that was created with CLONE_UNTRACED could not be followed";
}

void restore_untraced(const StoppedTask& task, const CloneFlags& call) {
    [[maybe_unused]] const bool alive = set_flags(task, call, *call.flags);
}

}  // namespace callcensus::ptrace
