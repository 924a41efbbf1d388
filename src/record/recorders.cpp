// The table of engines.
#include <algorithm>
#include <array>

#include "callcensus/recorder.hpp"
#include "record/ptrace/ptrace_recorder.hpp"

namespace callcensus {

std::span<const Recorder* const> recorders() {
    static const PtraceRecorder ptrace;
    static const std::array<const Recorder*, 1> table{&ptrace};
    return table;
}

const Recorder* find_recorder(std::string_view id) {
    const auto table = recorders();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const Recorder* row) { return row->id() == id; });
    return found == table.end() ? nullptr : *found;
}

}  // namespace callcensus
