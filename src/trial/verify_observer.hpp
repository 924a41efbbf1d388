// Holds every call that is reported against a policy, and looks at those that it does not let through while
// the task is stopped at them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "callcensus/collector.hpp"
#include "callcensus/recorder.hpp"
#include "callcensus/verify_findings.hpp"

namespace callcensus {

class VerifyObserver final : public Sink {
  public:
    struct Wishes {
        bool stacks = false;
        std::function<void(const std::string& line)> tell;  ///< of each new denial at once; may be empty
        std::function<void()> following;                    ///< processes that run already; may be empty
        bool usage = false;                                 ///< keep what was used of what is let through
    };
    /// Both must outlive it.
    VerifyObserver(const PolicyInForce& policy, const Target& target, Wishes wishes);

    Verdict on(const Event& event) override;

    [[nodiscard]] std::vector<Found> found() const;
    [[nodiscard]] std::vector<Used> used() const;
    /// The rest of what was seen: processes, gaps, notes, duration.
    [[nodiscard]] Recording recording() const;

  private:
    using ArgumentsOfCall = std::set<Arguments>;
    // What makes a finding. Other arguments may be decided otherwise; without a decision that is not known.
    using Key = std::tuple<Syscall, std::string, std::optional<Decision>>;

    [[nodiscard]] bool is_of_our_making(const SyscallSeen& seen);
    void look_at(const SyscallSeen& seen);
    // The finding that a denial belongs to, made where it is not there yet; none of further numbers without a
    // name.
    std::optional<std::pair<std::size_t, bool>> finding_of(Syscall call, const std::string& executable,
                                                           const std::optional<Decision>& decision);
    void note_denial(const SyscallSeen& seen, const std::optional<Decision>& decision);
    /// As far as the policy looks at them.
    [[nodiscard]] Arguments looked_at(Syscall call, const Arguments& arguments) const;

    const PolicyInForce& policy_;
    const Target& target_;
    Wishes wishes_;
    Collector collector_{Collector::Sites::on_request};
    std::vector<Found> found_;  // in the order of their appearance
    std::map<Key, std::size_t> index_;
    std::size_t unnamed_ = 0;     // of them
    std::uint64_t left_out_ = 0;  // calls of further ones
    std::set<std::size_t> of_many_arguments_;
    std::map<Syscall, ArgumentsOfCall> used_;
    std::map<std::uint32_t, std::uint32_t> calls_after_coming_;  // by the serial of a task, up to a few
};

}  // namespace callcensus
