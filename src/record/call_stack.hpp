// The return addresses on a stopped task's stack, by libdw of elfutils: from the .eh_frame of the modules, or
// by frame pointers where there is none.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace callcensus {

struct StackFrame {
    std::uint64_t address = 0;
    /// By a signal: the address is that of an instruction, else of the one after it.
    bool is_interrupted = false;
};

/// The innermost frame first; empty where the task is gone. We must be its tracer. Files are read in the
/// task's mount namespace, none is asked for over the network.
[[nodiscard]] std::vector<StackFrame> call_stack(pid_t tid, std::size_t most);

}  // namespace callcensus
