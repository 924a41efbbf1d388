// The default engine: watches every call as the ptrace engine does, but only until a process has shown what
// it does. Then a seccomp filter lets the known calls run at native speed and stops only those not seen
// before.
#pragma once

#include "callcensus/recorder.hpp"

namespace callcensus {

class AdaptiveRecorder final : public Recorder {
  public:
    [[nodiscard]] std::string_view id() const override { return "adaptive"; }
    [[nodiscard]] Result<void> check(const Target& target, const Plan& plan) const override;
    Result<Outcome> run(const Target& target, const Plan& plan, Sink& sink) const override;
};

}  // namespace callcensus
