#include "record/ptrace/ptrace_recorder.hpp"

#include "record/ptrace/permission.hpp"
#include "record/ptrace/run.hpp"

namespace callcensus {

// Whether ptrace is permitted, and the kernel new enough, shows when the child is seized, before it executes
// anything: launch() says it then.
Result<void> PtraceRecorder::check(const Target& target, const Plan& plan) const {
    if (auto possible = ptrace::check_target(target); !possible) return possible;
    if (!plan.suspend_filters) return {};
    const std::string why = ptrace::why_filters_cannot_be_suspended();
    return why.empty() ? Result<void>() : fail(why);
}

Result<Outcome> PtraceRecorder::run(const Target& target, const Plan& plan, Sink& sink) const {
    return ptrace::Run(target, plan, sink, ptrace::Run::Mode::every_call).to_the_end();
}

}  // namespace callcensus
