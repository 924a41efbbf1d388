#include "record/ptrace/ptrace_recorder.hpp"

#include "record/ptrace/run.hpp"

namespace callcensus {

// Whether ptrace is permitted, and the kernel new enough, shows when the child is seized, before it executes
// anything: launch() says it then. Nothing that a target or a plan can ask for is beyond this engine.
Result<void> PtraceRecorder::check(const Target& target, const Plan&) const {
    if (std::get<Launch>(target).argv.empty()) return fail("there is no command to run");
    return {};
}

Result<Outcome> PtraceRecorder::run(const Target& target, const Plan& plan, Sink& sink) const {
    return ptrace::Run(std::get<Launch>(target), plan, sink, ptrace::Run::Mode::every_call).to_the_end();
}

}  // namespace callcensus
