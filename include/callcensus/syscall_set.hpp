/// A set of system calls: a sorted flat value, since such sets are small (a hundred calls or so) and asked
/// far more often than changed.
///
///     SyscallSet known = seen | assumed;
///     if (known.insert(call)) …                // it is new
///     for (Syscall call : known - allowed) …   // in the order of (ABI, number)
#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

class SyscallSet {
  public:
    SyscallSet() = default;
    SyscallSet(std::initializer_list<Syscall> calls) {
        for (const Syscall call : calls) insert(call);
    }

    /// True where the call was not there before.
    bool insert(Syscall call) {
        const auto place = std::lower_bound(calls_.begin(), calls_.end(), call);
        if (place != calls_.end() && *place == call) return false;
        calls_.insert(place, call);
        return true;
    }
    void erase(Syscall call) {
        const auto place = std::lower_bound(calls_.begin(), calls_.end(), call);
        if (place != calls_.end() && *place == call) calls_.erase(place);
    }
    [[nodiscard]] bool contains(Syscall call) const {
        return std::binary_search(calls_.begin(), calls_.end(), call);
    }

    [[nodiscard]] bool empty() const { return calls_.empty(); }
    [[nodiscard]] std::size_t size() const { return calls_.size(); }
    [[nodiscard]] auto begin() const { return calls_.begin(); }
    [[nodiscard]] auto end() const { return calls_.end(); }

    friend bool operator==(const SyscallSet&, const SyscallSet&) = default;

    /// The union.
    friend SyscallSet operator|(const SyscallSet& a, const SyscallSet& b) {
        SyscallSet both;
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both.calls_));
        return both;
    }
    /// Those that are in both.
    friend SyscallSet operator&(const SyscallSet& a, const SyscallSet& b) {
        SyscallSet common;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common.calls_));
        return common;
    }
    /// Those of `a` that are not in `b`.
    friend SyscallSet operator-(const SyscallSet& a, const SyscallSet& b) {
        SyscallSet rest;
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest.calls_));
        return rest;
    }

  private:
    std::vector<Syscall> calls_;
};

}  // namespace callcensus
