#include "record/ptrace/launch.hpp"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/procfs.hpp"
#include "base/unique_fd.hpp"
#include "record/command.hpp"
#include "record/ptrace/stopped_task.hpp"

namespace callcensus::ptrace {
namespace {

[[noreturn]] void become(const std::string& path, const std::vector<std::string>& argv, int release,
                         const SignalRelay& relay) {
    char go = 0;
    ssize_t size = 0;
    do size = ::read(release, &go, 1);
    while (size < 0 && errno == EINTR);
    if (size != 1) ::_exit(127);  // the tracer has died or given up

    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    relay.restore_in_child();
    ::execv(path.c_str(), arguments.data());
    if (errno == ENOEXEC && is_script_for_sh(path)) {  // as execvp(3) and shells do
        std::string shell = "/bin/sh";
        arguments.front() = const_cast<char*>(path.c_str());
        arguments.insert(arguments.begin(), shell.data());
        ::execv(shell.c_str(), arguments.data());
    }
    ::_exit(127);
}

// Between PTRACE_INTERRUPT and its stop nothing else can come but death: the child has all signals blocked.
bool wait_for_first_stop(pid_t child) {
    int status = 0;
    pid_t reported = 0;
    do reported = ::waitpid(child, &status, __WALL);
    while (reported < 0 && errno == EINTR);
    return reported == child && WIFSTOPPED(status);
}

}  // namespace

std::string why_ptrace_is_forbidden() {
    const std::string scope = procfs::read_line("/proc/sys/kernel/yama/ptrace_scope");
    if (scope == "3")
        return "the kernel forbids ptrace for good: kernel.yama.ptrace_scope is 3 until the next boot";
    if (scope == "2") return "only root may trace here: run as root, or set kernel.yama.ptrace_scope to 1";
    const auto self = procfs::task_status(::getpid());
    if (self && self->tracer != 0) return "callcensus is being traced itself (by strace or a debugger?)";
    if (self && self->seccomp != 0)
        return "a seccomp filter around callcensus forbids it: allow ptrace, in a container by "
               "--cap-add=SYS_PTRACE or --security-opt seccomp=unconfined";
    return "the system forbids ptrace: a security module or a missing CAP_SYS_PTRACE";
}

Result<pid_t> launch(const std::string& path, const std::vector<std::string>& argv, long options,
                     const SignalRelay& relay) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail("no pipe to the new process", {}, errno);
    UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);

    pid_t child = 0;
    {
        const AllSignalsBlocked quiet;
        child = ::fork();
        if (child == 0) {
            write_end.reset();
            become(path, argv, read_end.get(), relay);
        }
    }
    if (child < 0) return fail("no new process", {}, errno);

    const auto give_up = [&](tl::unexpected<Error> why) -> Result<pid_t> {
        write_end.reset();  // the child reads the end of the pipe and exits
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, __WALL);
        return why;
    };
    if (::ptrace(PTRACE_SEIZE, child, nullptr, options) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, child, nullptr, nullptr) != 0 || !wait_for_first_stop(child)) {
        const int errnum = errno;
        if (errnum == EPERM || errnum == EACCES)
            return give_up(fail("cannot trace: " + why_ptrace_is_forbidden()));
        return give_up(
            fail("cannot trace: this system has no PTRACE_SEIZE (an emulator such as qemu-user or gVisor?)",
                 {}, errnum));
    }
    StoppedTask stopped(child);
    if (!stopped.syscall_info())
        return give_up(
            fail("cannot trace: this kernel has no PTRACE_GET_SYSCALL_INFO; it takes Linux 5.3 or newer"));
    std::move(stopped).resume(StoppedTask::Until::next_call);
    ssize_t written = 0;
    do written = ::write(write_end.get(), "", 1);
    while (written < 0 && errno == EINTR);
    return child;
}

}  // namespace callcensus::ptrace
