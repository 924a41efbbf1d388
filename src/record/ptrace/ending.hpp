// When and how a run comes to its end: its deadlines, the requests that it end, and what follows from each.
// A state machine without a clock or a process of its own: it is told what happens and when, and answers with
// the next step.
//
//     Ending ending({.timeout = 10s, .kill_after = 5s});
//     ending.begins(now);
//     wake_at(ending.next_deadline());
//     while (const auto step = ending.due(now)) carry_out(*step);  // ask, and 5 s later kill
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace callcensus::ptrace {

class Ending {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// timeout(1) signals its child and then its whole process group, which we are in: what comes that close
    /// together is one request, not two.
    static constexpr std::chrono::milliseconds one_request{100};
    /// How long a task is waited for that is to be let go. One that waits for its vfork child, or for a disk
    /// that does not answer, stops for nobody.
    static constexpr std::chrono::seconds time_to_stop{3};
    /// How long the engine around a container that was killed may take to clean up.
    static constexpr std::chrono::seconds time_to_clean_up{10};

    struct Terms {
        std::optional<std::chrono::milliseconds> timeout{};
        std::chrono::milliseconds kill_after{};  ///< the timeout
        std::optional<std::chrono::milliseconds> tick{};
        bool until_exit = false;    ///< of the first process
        bool ends_target = false;   ///< the timeout does; otherwise it lets the target go
        bool dies_with_us = false;  ///< what we have not let go
    };

    enum class Step : std::uint8_t {
        ask,     ///< the target to end, by SIGTERM or the signal that came as the request
        kill,    ///< everything that is_to_be_killed()
        let_go,  ///< everything that stops from now on
        leave,   ///< what has not stopped: the run is over
        tick,    ///< tell the sink
    };

    explicit Ending(const Terms& terms) : terms_(terms) {}

    /// The target runs: deadlines count from here.
    void begins(Time now);
    /// When due() has something next, if nothing else happens.
    [[nodiscard]] std::optional<Time> next_deadline() const;
    /// What is to be done by the clock. To be asked again until there is nothing more.
    [[nodiscard]] std::optional<Step> due(Time now);

    /// Somebody wants the target to end: the first time it is asked, the second time it is killed.
    [[nodiscard]] std::optional<Step> requested(Time now);
    /// Everything is to be let go. `depends_on_us`: something could not live without us, so that it is
    /// requested to end instead.
    [[nodiscard]] std::optional<Step> let_go(Time now, bool depends_on_us);
    [[nodiscard]] std::optional<Step> first_process_ended() const;

    /// Everything is being killed. `in_containers`: save the engines around containers, which end by
    /// themselves and clean up. Where they have not by time_to_clean_up, or the second time, so are they.
    void kills(Time now, bool in_containers);
    /// And whatever appears from then on.
    [[nodiscard]] bool is_killing() const { return killing_; }
    [[nodiscard]] bool is_to_be_killed(bool is_engine) const {
        return killing_ && !(is_engine && spares_engines_);
    }

    [[nodiscard]] bool is_letting_go() const { return letting_go_; }
    [[nodiscard]] bool has_left() const { return left_; }

  private:
    Terms terms_;
    std::optional<Time> next_tick_, time_is_up_, kill_at_, leave_at_;
    std::optional<Time> first_request_;
    bool killing_ = false;
    bool spares_engines_ = false;
    bool letting_go_ = false;
    bool left_ = false;
};

}  // namespace callcensus::ptrace
