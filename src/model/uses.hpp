// Who makes a call, and how often, over records of it in any number of recordings.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "callcensus/recording.hpp"

namespace callcensus {

class Uses {
  public:
    void add(const Recording& recording, const CallRecord& record) {
        for (const auto& [index, count] : record.by_executable) {
            const std::string& executable = recording.executables[index];
            Use& use = by_executable_.try_emplace(executable, Use{executable}).first->second;
            use.count += count;
            use.exact = use.exact && recording.exact_counts();
        }
    }

    /// The most frequent first.
    [[nodiscard]] std::vector<Use> list() const {
        std::vector<Use> list;
        for (const auto& [executable, use] : by_executable_) list.push_back(use);
        std::stable_sort(list.begin(), list.end(),
                         [](const Use& a, const Use& b) { return a.count > b.count; });
        return list;
    }

  private:
    std::map<std::string, Use> by_executable_;
};

}  // namespace callcensus
