// Where the time of a recording went: what goes on stopping programs that could run freely otherwise.
//
//     StopTally tally;
//     tally.after_release("/usr/bin/node", call);      // at each such stop
//     for (const std::string& note : tally.notes()) …  // at the end, for the summary
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus::ptrace {

class StopTally {
  public:
    /// Below that the stops cost some milliseconds, which nobody needs to be told of.
    static constexpr std::uint64_t worth_telling = 1000;

    /// A program that was released has stopped at a call that its filter does not know.
    void after_release(const std::string& executable, Syscall call) {
        auto& stops = released_[executable];
        // A target can make up numbers; those of calls that exist are fewer.
        constexpr std::size_t max_calls = 4096;
        if (stops.size() < max_calls || stops.count(call) != 0) ++stops[call];
    }
    /// A program has stopped at a call only because a seccomp filter is in force that the target itself has
    /// loaded.
    void under_own_filter(const std::string& executable) { ++filtered_[executable]; }

    /// A line for each program that stopped often.
    [[nodiscard]] std::vector<std::string> notes() const;

  private:
    std::map<std::string, std::map<Syscall, std::uint64_t>> released_;
    std::map<std::string, std::uint64_t> filtered_;
};

}  // namespace callcensus::ptrace
