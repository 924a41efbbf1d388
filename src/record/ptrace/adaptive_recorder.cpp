#include "record/ptrace/adaptive_recorder.hpp"

#include <unistd.h>

#include "base/procfs.hpp"
#include "record/ptrace/permission.hpp"
#include "record/ptrace/run.hpp"

namespace callcensus {

Result<void> AdaptiveRecorder::check(const Target& target, const Plan& plan) const {
    if (auto possible = ptrace::check_target(target); !possible) return possible;
    if (!ptrace::Injection::implemented()) return fail("it knows only x86_64");
    if (std::holds_alternative<Attach>(target))
        return fail("a filter cannot be taken out again of processes that are to go on without callcensus");
    if (const auto* launch = std::get_if<Launch>(&target); launch != nullptr && launch->filter)
        return fail("a filter that denies calls outranks its own");
    if (plan.suspend_filters) return fail("with seccomp filters switched off its own does nothing");
    if (plan.every_call) return fail("it does not stop at every call, and so cannot count them");
    if (plan.until_exit)
        return fail("what it has released depends on callcensus to its end, and cannot be left running");
    const auto self = procfs::task_status(::getpid());
    if (self && self->seccomp != 0)
        return fail("a seccomp filter around callcensus may deny calls before they are seen");
    return {};
}

Result<Outcome> AdaptiveRecorder::run(const Target& target, const Plan& plan, Sink& sink) const {
    return ptrace::Run(target, plan, sink, ptrace::Run::Mode::adaptive).to_the_end();
}

}  // namespace callcensus
