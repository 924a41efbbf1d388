/// Turns the events of a Recorder into a Recording.
///
///     ProcessTree tree;
///     RecordingBuilder builder(tree, steady_milliseconds);
///     tree.on(event), builder.on(event);       // for each one, the tree first
///     Recording seen = builder.snapshot();     // at any time
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "callcensus/event.hpp"
#include "callcensus/process_tree.hpp"
#include "callcensus/recording.hpp"

namespace callcensus {

/// How much a recording keeps of what a target can make as much of as it likes, so that it always fits in
/// memory and the reader of recordings takes what was written. Beyond that it says what is left out: in its
/// notes where a profile loses nothing by it, else in its gaps. The set of calls that have names is always
/// whole. How many executables are told apart is the tree's to say (ExecutableLimits).
struct RecordingLimits {
    std::size_t unnamed_calls = 256;   ///< different numbers that no table has a name for
    std::size_t site_bytes = 4 << 20;  ///< of the names in call sites
    std::size_t processes = 1 << 16;   ///< listed
    std::size_t execs = 1 << 18;       ///< listed, of all processes together
    std::size_t shares = 1 << 18;      ///< counts by call and executable
    std::size_t remarks = 256;         ///< gaps, and as many notes
};

class RecordingBuilder {
  public:
    /// Time since the recording began; asked only when something new appears, since that is far rarer than
    /// events.
    using Clock = std::function<Milliseconds()>;

    /// The tree, which must outlive it, has had each event first.
    RecordingBuilder(const ProcessTree& tree, Clock clock, const RecordingLimits& limits = {})
        : tree_(tree), clock_(std::move(clock)), limits_(limits) {}

    void on(const Event& event);
    /// A place that a call was made from, of which SyscallSeen has come. The first few are kept.
    void add_site(Syscall call, const CallSite& site);
    /// Whether one would be kept. Cheap: to be asked before a place is looked for.
    [[nodiscard]] bool wants_site(Syscall call) const;

    /// What has been seen so far. Generator, engine, host, command, start and what was assumed are the
    /// caller's to fill in.
    [[nodiscard]] Recording snapshot() const;

    [[nodiscard]] std::size_t distinct_calls() const { return calls_.size(); }
    /// When the last call that was not yet known appeared; empty before the first one.
    [[nodiscard]] std::optional<Milliseconds> last_news() const { return last_news_; }

  private:
    struct Counters {
        std::uint64_t entries = 0;
        std::vector<std::pair<int, std::uint64_t>> returned;  // few errnos a call: a scan beats a tree
        std::unordered_map<ExecutableIndex, std::uint64_t> by_executable;
        FirstSeen first;
        std::vector<CallSite> sites;
    };

    // Different texts in the order of their appearance.
    struct Remarks {
        std::vector<std::string> texts;
        std::unordered_set<std::string> known;
        bool more = false;

        void add(const std::string& text, std::size_t most);
        [[nodiscard]] std::vector<std::string> list(const char* of_more) const;
    };
    // What was seen and is not kept.
    struct LeftOut {
        std::uint64_t calls = 0;        // entries, of numbers without a name
        bool calls_that_exist = false;  // of these
        std::uint64_t execs = 0;
        std::uint64_t sites = 0;
        bool shares = false;
    };

    void see(const Following&) {}
    void see(const TaskStarted&);
    void see(const Execed&);
    void see(const SyscallSeen&);
    void see(const SyscallReturned&);
    void see(const Released&);
    void see(const TaskExited&);
    void see(const Lost&);
    void see(const Noted&);
    void see(const Tick&) {}

    [[nodiscard]] bool is_kept(Syscall call);
    // The record of a process, or null where it is not listed.
    ProcessRecord* record_of(const ProcessTree::Process& process);
    std::uint64_t& share_of(Counters& counters, ExecutableIndex executable);
    void say_what_is_left_out(Recording& recording) const;

    const ProcessTree& tree_;
    Clock clock_;
    RecordingLimits limits_;
    std::unordered_map<Syscall, Counters> calls_;
    std::vector<ProcessRecord> processes_;  // that are listed, by their numbers
    // By the places of all that live: the process itself, or its nearest ancestor that is listed.
    std::vector<ProcessIndex> listed_;
    std::size_t unnamed_calls_ = 0;
    std::size_t site_bytes_ = 0;
    std::size_t execs_ = 0;  // of the listed, each one's first program counted
    std::size_t shares_ = 0;
    LeftOut left_out_;
    Remarks gaps_;
    Remarks notes_;
    std::optional<Milliseconds> last_news_;
};

}  // namespace callcensus
