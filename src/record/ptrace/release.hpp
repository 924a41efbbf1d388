// How far a process has come with being released: whether it has our filter, whether it may get it, and what
// stands in the way. A value, told of what happens to the process; run_calls.cpp does what follows.
//
//     Release release;
//     if (release.may_begin() && …) release.injection_begins();
//     release.injection_ends(true, false);
//     release.runs_freely();                                  // true: only the filter and events stop it
//     Release child = release.of_child(true);                 // runs freely as well
//
// A filter of the target's own outranks ours where it denies a call (seccomp takes the strictest answer of
// all), so that calls would be hidden: a process that has one, or is about to, is stopped at every call.
#pragma once

#include <cstdint>

namespace callcensus::ptrace {

class Release {
  public:
    /// Of a process that we know nothing of but whether it has any filter, perhaps ours.
    [[nodiscard]] static Release of_stranger(bool has_filter);
    /// Of one that this process creates now. `creator_is_filtered`: the thread that creates it surely has our
    /// filter, if the process has.
    [[nodiscard]] Release of_child(bool creator_is_filtered) const;
    /// Of one that this process has probably created, as /proc says, at a time that we do not know.
    [[nodiscard]] Release of_presumed_child(bool has_filter) const;

    /// Our filter is on all its threads, and there is no other: calls need not stop it.
    [[nodiscard]] bool runs_freely() const { return released_ && !has_own_filter_ && loading_ == 0; }
    /// Our filter is on all its threads.
    [[nodiscard]] bool is_released() const { return released_; }
    /// Our filter may be there: without a tracer, calls that it does not know would fail.
    [[nodiscard]] bool depends_on_us() const { return depends_on_us_; }
    [[nodiscard]] bool has_own_filter() const { return has_own_filter_; }
    /// We have set no_new_privs.
    [[nodiscard]] bool has_lost_privileges() const { return lost_privileges_; }

    /// Whether one of its threads may be made to load our filter.
    [[nodiscard]] bool may_begin() const {
        return !released_ && !injecting_ && !impossible_ && !has_own_filter_ && loading_ == 0;
    }
    /// It shall not be until it executes another program.
    void is_impossible() { impossible_ = true; }
    void injection_begins() { injecting_ = depends_on_us_ = true; }
    [[nodiscard]] bool is_injecting() const { return injecting_; }
    /// The thread has come to the end.
    void injection_ends(bool loaded, bool has_set_no_new_privs);
    /// The thread has died on the way, perhaps with the filter loaded.
    void injection_is_lost(bool has_set_no_new_privs);

    /// A thread enters a call that loads a filter of the target's own, and comes back from it or dies.
    void begins_to_load_filter() { ++loading_; }
    void has_tried_to_load_filter(bool loaded);

    /// It has executed another program. `only_known_of_it`: what our filter lets through was known of the
    /// program before, and of no other.
    void executes(bool only_known_of_it);

  private:
    bool released_ = false;
    bool injecting_ = false;
    bool depends_on_us_ = false;
    bool impossible_ = false;
    bool lost_privileges_ = false;
    bool has_own_filter_ = false;
    std::uint32_t loading_ = 0;  // threads
};

}  // namespace callcensus::ptrace
