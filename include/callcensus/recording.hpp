/// A Recording is what was seen: raw (ABI, number) pairs with everything known about each. It loses nothing,
/// it can be saved (callcensus/format.hpp), and profiles can be derived from it again without running
/// anything.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/call_site.hpp"
#include "callcensus/event.hpp"

namespace callcensus {

/// Times within a recording are counted from its beginning.
using Milliseconds = std::chrono::duration<double, std::milli>;

/// Indexes into Recording::executables and Recording::processes.
using ExecutableIndex = std::uint32_t;
using ProcessIndex = std::uint32_t;

struct Host {
    std::string kernel;   ///< uname -r
    std::string machine;  ///< uname -m
};

struct ProcessRecord {
    pid_t pid = 0;
    std::optional<ProcessIndex> parent;  ///< who created it; empty for the first one
    Milliseconds started{};
    std::vector<ExecutableIndex> executables;  ///< what it ran, in the order of its execs
    std::uint32_t threads = 1;                 ///< how many it ever had
    std::optional<ExitStatus> status;          ///< empty where it had not ended when the recording did
    Scope scope = Scope::process;              ///< whose set of calls is known, if not its own
};

struct FirstSeen {
    Milliseconds at{};
    ProcessIndex process = 0;
    ExecutableIndex executable = 0;
};

struct CallRecord {
    Syscall call{};
    std::uint64_t count = 0;  ///< entries; at least so many where not Recording::exact_counts()
    FirstSeen first;
    std::map<int, std::uint64_t>
        returned;  ///< how often by errno, 0 for success; 512 to 516 are the kernel's restarts
    std::map<ExecutableIndex, std::uint64_t> by_executable;  ///< entries
    std::vector<CallSite> sites;  ///< the first few places that it was made from, in order of appearance

    /// Entries that never returned: the task ended in the call, or the recording did. Without meaning unless
    /// counts are exact.
    [[nodiscard]] std::uint64_t unfinished() const;
};

struct Recording {
    std::string generator;  ///< program and version
    std::string engine;
    Host host;
    std::vector<std::string> command;
    std::chrono::system_clock::time_point started;
    Milliseconds duration{};
    std::optional<ExitStatus> status;  ///< of the first process; empty where it had not ended
    std::vector<std::string> gaps;     ///< what is missing; a recording without gaps is complete
    std::vector<std::string> notes;    ///< what else a user should know
    std::vector<std::string> executables;
    std::vector<ProcessRecord> processes;
    std::vector<CallRecord> calls;  ///< sorted by (ABI, number), each once
    std::vector<Syscall> assumed;   ///< sorted; taken as known beforehand (Plan::known) and not observed

    /// Every call of every process has been counted.
    [[nodiscard]] bool exact_counts() const;
    /// The narrowest scope within which all sets are exact: by_executable can be relied upon unless it is
    /// tree.
    [[nodiscard]] Scope scope() const;
    [[nodiscard]] bool complete() const { return gaps.empty(); }
};

/// Who makes a call, as far as the counts of recordings go.
struct Use {
    std::string executable;
    std::uint64_t count = 0;
    bool exact = true;  ///< else at least so often

    friend bool operator==(const Use&, const Use&) = default;
};

}  // namespace callcensus
