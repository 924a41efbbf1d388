#include "record/ptrace/launch.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/unique_fd.hpp"
#include "record/command.hpp"
#include "record/ptrace/permission.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

struct Pipe {
    UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail("no pipe to the new process", {}, errno);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// False when the other side has closed its end: it has died or given up.
bool await_byte(const UniqueFd& fd) {
    char byte = 0;
    ssize_t size = 0;
    do size = ::read(fd.get(), &byte, 1);
    while (size < 0 && errno == EINTR);
    return size == 1;
}

void send_byte(const UniqueFd& fd) {
    ssize_t written = 0;
    do written = ::write(fd.get(), "", 1);
    while (written < 0 && errno == EINTR);
}

// As container runtimes do: privileges are given up only where the kernel demands it. The tracer sees these
// calls and how they end.
bool load(const LoadedFilter& filter) {
    const sock_fprog program{static_cast<unsigned short>(filter.code.size()),
                             const_cast<sock_filter*>(filter.code.data())};
    const auto try_to_load = [&] {
        return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) == 0;
    };
    if (try_to_load()) return true;
    return errno == EACCES && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && try_to_load();
}

[[noreturn]] void become(const std::string& path, const Launch& target, const UniqueFd& ready,
                         const UniqueFd& release, const SignalRelay& relay) {
    // What is done before we say that we are ready is not stopped at.
    std::vector<char*> arguments;
    for (const std::string& argument : target.argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    relay.restore_dispositions_in_child();

    send_byte(ready);
    if (!await_byte(release)) ::_exit(127);

    relay.restore_mask_in_child();
    if (target.filter && !load(*target.filter)) ::_exit(127);  // and nothing from here on but the execve
    ::execv(path.c_str(), arguments.data());
    if (errno == ENOEXEC && is_script_for_sh(path)) {  // as execvp(3) and shells do
        std::string shell = "/bin/sh";
        arguments.front() = const_cast<char*>(path.c_str());
        arguments.insert(arguments.begin(), shell.data());
        ::execv(shell.c_str(), arguments.data());
    }
    ::_exit(127);
}

// Reaps it. Nothing where somebody else has.
std::optional<ExitStatus> await_end(pid_t child, StatusQueue& statuses) {
    while (auto report = statuses.next_of(child)) {
        if (const auto* ended = std::get_if<Ended>(&report->stop)) return ended->status;
        std::move(*report->stopped).abandon();
    }
    return std::nullopt;
}

bool has_ended(pid_t child) { return wait_for(child, WEXITED | WNOHANG | WNOWAIT).has_value(); }

// Before its execve: the memory is short, or a limit or somebody's signal has killed it.
tl::unexpected<Error> has_died(std::optional<ExitStatus> status) {
    std::string how = "has ended";
    if (status && status->signal != 0)
        how = "was killed by signal " + std::to_string(status->signal);
    else if (status)
        how = "has exited with status " + std::to_string(status->code);
    return fail("the new process " + how + " before it could execute the command");
}

}  // namespace

Result<pid_t> launch(const std::string& path, const Launch& target, long options, const SignalRelay& relay,
                     StatusQueue& statuses) {
    auto ready = make_pipe();
    auto release = make_pipe();
    if (!ready) return tl::unexpected(ready.error());
    if (!release) return tl::unexpected(release.error());

    pid_t child = 0;
    int fork_errnum = 0;
    {
        const AllSignalsBlocked quiet;
        child = ::fork();
        fork_errnum = errno;
        if (child == 0) {
            ready->read_end.reset();
            release->write_end.reset();
            become(path, target, ready->write_end, release->read_end, relay);
        }
    }
    if (child < 0) return fail("no new process", {}, fork_errnum);

    const auto give_up = [&](tl::unexpected<Error> why) -> Result<pid_t> {
        release->write_end.reset();  // the child reads the end of the pipe and exits
        kill_process(child);
        await_end(child, statuses);
        return why;
    };
    const auto no_seize = [&](int errnum) {
        return fail(
            "cannot trace: this system has no PTRACE_SEIZE (an emulator such as qemu-user or gVisor?)", {},
            errnum);
    };
    ready->write_end.reset();
    if (!await_byte(ready->read_end)) return has_died(await_end(child, statuses));
    if (const int errnum = seize(child, options); errnum != 0) {
        // The kernel refuses to trace one that has ended by EPERM, too.
        if (has_ended(child)) return has_died(await_end(child, statuses));
        if (errnum == EPERM || errnum == EACCES)
            return give_up(fail("cannot trace: " + why_ptrace_is_forbidden()));
        return give_up(no_seize(errnum));
    }
    if (const int errnum = interrupt(child); errnum != 0 && errnum != ESRCH) return give_up(no_seize(errnum));
    // Before the stop nothing else can come but death: the child has all signals blocked.
    auto report = statuses.next_of(child);
    if (!report) return has_died(std::nullopt);
    if (const auto* ended = std::get_if<Ended>(&report->stop)) return has_died(ended->status);
    auto& stopped = report->stopped;
    if (!stopped->syscall_info()) {
        std::move(*stopped).abandon();
        return give_up(
            fail("cannot trace: this kernel has no PTRACE_GET_SYSCALL_INFO; it takes Linux 5.3 or newer"));
    }
    std::move(*stopped).resume(StoppedTask::Until::next_call);
    send_byte(release->write_end);
    return child;
}

}  // namespace callcensus::ptrace
