// Several reasons as the comment of one rule.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace callcensus {

/// Each once, in the order in which they came, and of many only some.
class Comments {
  public:
    void add(const std::string& comment) {
        if (!comment.empty() && known_.insert(comment).second) list_.push_back(comment);
    }
    [[nodiscard]] std::string text() const {
        std::string text;
        constexpr std::size_t most = 5;
        for (std::size_t i = 0; i < list_.size() && i < most; ++i) text += (i == 0 ? "" : "; ") + list_[i];
        if (list_.size() > most) text += "; and " + std::to_string(list_.size() - most) + " more";
        return text;
    }

  private:
    std::vector<std::string> list_;
    std::set<std::string> known_;
};

}  // namespace callcensus
