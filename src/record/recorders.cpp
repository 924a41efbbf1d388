// The table of engines.
#include <algorithm>
#include <array>
#include <optional>

#include "callcensus/recorder.hpp"
#include "record/ptrace/adaptive_recorder.hpp"
#include "record/ptrace/ptrace_recorder.hpp"

namespace callcensus {

std::span<const Recorder* const> recorders() {
    static const AdaptiveRecorder adaptive;
    static const PtraceRecorder ptrace;
    static const std::array<const Recorder*, 2> table{&adaptive, &ptrace};
    return table;
}

const Recorder* find_recorder(std::string_view id) {
    const auto table = recorders();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const Recorder* row) { return row->id() == id; });
    return found == table.end() ? nullptr : *found;
}

Result<Choice> choose_recorder(const Target& target, const Plan& plan) {
    Choice choice;
    std::optional<Error> last;  // of the one that stands where no other can
    for (const Recorder* recorder : recorders()) {
        const auto possible = recorder->check(target, plan);
        if (possible) {
            choice.recorder = recorder;
            return choice;
        }
        last = possible.error();
        choice.why_not_another += (choice.why_not_another.empty() ? "" : "; ") + std::string(recorder->id()) +
                                  ": " + possible.error().message;
    }
    return tl::unexpected(*last);
}

Result<Choice> choose_recorder(std::string_view id, const Target& target, const Plan& plan) {
    if (id == any_recorder) return choose_recorder(target, plan);
    const Recorder* recorder = find_recorder(id);
    if (recorder == nullptr) return fail("there is no engine \"" + std::string(id) + "\"");
    if (auto possible = recorder->check(target, plan); !possible) return tl::unexpected(possible.error());
    return Choice{recorder, {}};
}

}  // namespace callcensus
