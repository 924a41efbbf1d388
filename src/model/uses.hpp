// Who makes a call, how often and from where, over records of it in any number of recordings.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "callcensus/recording.hpp"

namespace callcensus {

/// Adds those that are not there yet, as far as there is room for them.
inline void keep_first(std::vector<CallSite>& sites, const std::vector<CallSite>& more) {
    for (const CallSite& site : more)
        if (sites.size() < sites_kept && std::find(sites.begin(), sites.end(), site) == sites.end())
            sites.push_back(site);
}

class Uses {
  public:
    void add(const Recording& recording, const CallRecord& record) {
        for (const auto& [index, count] : record.by_executable) {
            const std::string& executable = recording.executables[index];
            Use& use = by_executable_.try_emplace(executable, Use{executable}).first->second;
            use.count += count;
            use.exact = use.exact && recording.exact_counts();
        }
        keep_first(sites_, record.sites);
    }

    /// The most frequent first.
    [[nodiscard]] std::vector<Use> list() const {
        std::vector<Use> list;
        for (const auto& [executable, use] : by_executable_) list.push_back(use);
        std::stable_sort(list.begin(), list.end(),
                         [](const Use& a, const Use& b) { return a.count > b.count; });
        return list;
    }

    /// In order of appearance.
    [[nodiscard]] const std::vector<CallSite>& sites() const { return sites_; }

  private:
    std::map<std::string, Use> by_executable_;
    std::vector<CallSite> sites_;
};

}  // namespace callcensus
