// Recordings are merged as they are: nothing of them is worked out.
#include <algorithm>
#include <iterator>

#include "callcensus/merge.hpp"
#include "callcensus/syscall_set.hpp"

namespace callcensus {

std::vector<Recording> merge(std::vector<std::vector<Recording>> inputs, MergeKind kind) {
    if (inputs.empty()) return {};
    std::vector<Recording> result = std::move(inputs.front());
    if (kind == MergeKind::unite) {
        for (std::size_t i = 1; i < inputs.size(); ++i)
            std::move(inputs[i].begin(), inputs[i].end(), std::back_inserter(result));
        return result;
    }
    std::vector<SyscallSet> others;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        SyscallSet calls;
        for (const Recording& recording : inputs[i]) {
            for (const CallRecord& record : recording.calls) calls.insert(record.call);
            for (const Syscall call : recording.assumed) calls.insert(call);
        }
        others.push_back(std::move(calls));
    }
    if (others.empty()) return result;
    const auto is_left_out = [&](Syscall call) {
        const auto has = [&](const SyscallSet& calls) { return calls.contains(call); };
        return kind == MergeKind::intersect ? !std::all_of(others.begin(), others.end(), has)
                                            : std::any_of(others.begin(), others.end(), has);
    };
    for (Recording& recording : result) {
        const auto left_out =
            std::erase_if(recording.calls,
                          [&](const CallRecord& record) { return is_left_out(record.call); }) +
            std::erase_if(recording.assumed, is_left_out);
        recording.notes.push_back(std::to_string(left_out) + " of its calls are left out, which " +
                                  (kind == MergeKind::intersect ? "not all" : "some") + " of the " +
                                  std::to_string(others.size()) + " other inputs have" +
                                  (kind == MergeKind::intersect ? "" : " too"));
    }
    return result;
}

}  // namespace callcensus
