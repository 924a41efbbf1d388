// The classic engine: every call of every task stops twice, at its entry and at its exit. Sees everything,
// changes nothing in the target.
#pragma once

#include "callcensus/recorder.hpp"

namespace callcensus {

class PtraceRecorder final : public Recorder {
  public:
    [[nodiscard]] std::string_view id() const override { return "ptrace"; }
    [[nodiscard]] Result<void> check(const Target& target, const Plan& plan) const override;
    Result<Outcome> run(const Target& target, const Plan& plan, Sink& sink) const override;
};

}  // namespace callcensus
