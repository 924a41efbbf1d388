#include "record/ptrace/adaptive_recorder.hpp"

#include <unistd.h>

#include "base/procfs.hpp"
#include "record/ptrace/run.hpp"

namespace callcensus {

Result<void> AdaptiveRecorder::check(const Target& target, const Plan& plan) const {
    if (std::get<Launch>(target).argv.empty()) return fail("there is no command to run");
    if (!ptrace::Injection::implemented()) return fail("it knows only x86_64");
    if (plan.every_call) return fail("it does not stop at every call, and so cannot count them");
    if (plan.until_exit)
        return fail("what it has let run depends on callcensus to its end, and cannot be left running");
    const auto self = procfs::task_status(::getpid());
    if (self && self->seccomp != 0)
        return fail("a seccomp filter around callcensus may deny calls before they are seen");
    return {};
}

Result<Outcome> AdaptiveRecorder::run(const Target& target, const Plan& plan, Sink& sink) const {
    return ptrace::Run(std::get<Launch>(target), plan, sink, ptrace::Run::Mode::adaptive).to_the_end();
}

}  // namespace callcensus
