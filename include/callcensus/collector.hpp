/// Keeps what the events of a run tell: who runs what, what is called, and from where.
///
///     Collector collector(Collector::Sites::recorded);
///     Verdict on(const Event& event) {             // a Sink
///         collector.on(event);                     // every event, before anything else
///         …
///     }
///     Recording seen = collector.recording();      // at any time
///
/// The time of its making is the recording's beginning. Its parts refer to one another: it stays where it is.
#pragma once

#include <chrono>
#include <cstdint>

#include "callcensus/attribution.hpp"
#include "callcensus/event.hpp"
#include "callcensus/process_tree.hpp"
#include "callcensus/recording_builder.hpp"

namespace callcensus {

class Collector {
  public:
    /// What becomes of the places that calls are made from.
    enum class Sites : std::uint8_t {
        recorded,    ///< the first few of each call are in the recording
        on_request,  ///< none is: attribution() tells of those that it is asked for
    };

    explicit Collector(Sites sites)
        : sites_(sites), attribution_(tree_), builder_(tree_, [this] { return elapsed(); }) {}
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    void on(const Event& event);

    [[nodiscard]] const ProcessTree& tree() const { return tree_; }
    [[nodiscard]] const RecordingBuilder& builder() const { return builder_; }
    [[nodiscard]] Attribution& attribution() { return attribution_; }
    /// As RecordingBuilder::snapshot().
    [[nodiscard]] Recording recording() const { return builder_.snapshot(); }
    [[nodiscard]] Milliseconds elapsed() const { return std::chrono::steady_clock::now() - began_; }

  private:
    Sites sites_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    ProcessTree tree_;
    Attribution attribution_;
    RecordingBuilder builder_;
};

}  // namespace callcensus
