#include "record/ptrace/ptrace_recorder.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "record/ptrace/launch.hpp"
#include "record/ptrace/run.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus {
namespace {

// Asks the kernel itself, on a child that does nothing: version numbers lie (emulators, backports).
Result<void> probe() {
    const pid_t child = ::fork();
    if (child < 0) return fail("no new process", {}, errno);
    if (child == 0) {
        for (;;) ::pause();
    }
    Result<void> answer;
    int status = 0;
    if (::ptrace(PTRACE_SEIZE, child, nullptr, nullptr) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, child, nullptr, nullptr) != 0 ||
        ::waitpid(child, &status, __WALL) != child) {
        answer = errno == EPERM || errno == EACCES
                     ? fail("cannot trace: " + ptrace::why_ptrace_is_forbidden())
                     : fail(
                           "cannot trace: this system has no PTRACE_SEIZE (an emulator such as qemu-user or "
                           "gVisor?)",
                           {}, errno);
    } else if (!ptrace::StoppedTask(child).syscall_info()) {
        answer =
            fail("cannot trace: this kernel has no PTRACE_GET_SYSCALL_INFO; it takes Linux 5.3 or newer");
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, __WALL);
    return answer;
}

}  // namespace

Result<void> PtraceRecorder::check(const Target& target, const Plan&) const {
    if (std::get<Launch>(target).argv.empty()) return fail("there is no command to run");
    return probe();
}

Result<Outcome> PtraceRecorder::run(const Target& target, const Plan& plan, Sink& sink) const {
    return ptrace::Run(std::get<Launch>(target), plan, sink).to_the_end();
}

}  // namespace callcensus
