#include "record/ptrace/permission.hpp"

#include <unistd.h>

#include "base/procfs.hpp"

namespace callcensus::ptrace {
namespace {

std::string yama_scope() { return procfs::read_line("/proc/sys/kernel/yama/ptrace_scope"); }

bool in_first_user_namespace() {
    // Its map is the identity over all ids (user_namespaces(7)).
    return procfs::read_line("/proc/self/uid_map").find("4294967295") != std::string::npos;
}

std::string of_process(pid_t pid) { return "process " + std::to_string(pid); }

Result<void> check(const Launch& target) {
    if (target.argv.empty()) return fail("there is no command to run");
    if (target.in_containers && ::geteuid() != 0)
        return fail(
            "following the start of a container takes root: as another user podman needs set-user-ID helpers, "
            "which lose their privilege under ptrace. The hook works without root: callcensus hook --help");
    return {};
}

Result<void> check(const Attach& target) {
    if (target.processes.empty()) return fail("there is no process to attach to");
    return {};
}

Result<void> check(const Container& target) {
    if (target.init <= 0) return fail("the container has no process: its state says no pid");
    return {};
}

}  // namespace

Result<void> check_target(const Target& target) {
    return std::visit([](const auto& one) { return check(one); }, target);
}

std::string why_ptrace_is_forbidden() {
    const std::string scope = yama_scope();
    if (scope == "3")
        return "the kernel forbids ptrace for good: kernel.yama.ptrace_scope is 3 until the next boot";
    if (scope == "2" && ::geteuid() != 0)
        return "only root may trace here: run as root, or set kernel.yama.ptrace_scope to 1";
    const auto self = procfs::task_status(::getpid());
    if (self && self->tracer != 0) return "callcensus is being traced itself (by strace or a debugger?)";
    if (self && self->seccomp != 0)
        return "a seccomp filter around callcensus forbids it: allow ptrace, in a container by "
               "--cap-add=SYS_PTRACE or --security-opt seccomp=unconfined";
    return "the system forbids ptrace: a security module or a missing CAP_SYS_PTRACE";
}

std::string why_ptrace_is_forbidden_for(pid_t process) {
    const auto status = procfs::task_status(process);
    if (!status) return "there is no " + of_process(process);
    if (status->has_ended) return of_process(process) + " has ended already";
    constexpr pid_t kernel_threads = 2;  // kthreadd
    if (process == kernel_threads || status->parent == kernel_threads)
        return of_process(process) + " is a thread of the kernel, which makes no system calls";
    if (status->tracer != 0)
        return of_process(process) + " is being traced already, by " + of_process(status->tracer) + " (" +
               procfs::executable(status->tracer) + ")";
    const std::string scope = yama_scope();
    if (scope == "2" || scope == "3" || ::geteuid() == 0) return why_ptrace_is_forbidden();
    if (status->user != ::geteuid())
        return of_process(process) + " belongs to user " + std::to_string(status->user) +
               ": run callcensus as root";
    if (scope == "1")
        return "kernel.yama.ptrace_scope is 1, so that only root may trace a process that runs already: run "
               "callcensus as root, or set it to 0";
    const auto self = procfs::task_status(::getpid());
    if (self && self->seccomp != 0) return why_ptrace_is_forbidden();
    return of_process(process) +
           " is protected from its own user (it had or has privileges, or has asked for it): run callcensus "
           "as root";
}

std::string why_filters_cannot_be_suspended() {
    if (::geteuid() != 0 || !in_first_user_namespace())
        return "switching off seccomp filters takes CAP_SYS_ADMIN on the host: run callcensus as root there";
    const auto self = procfs::task_status(::getpid());
    if (self && self->seccomp != 0)
        return "switching off seccomp filters is forbidden to a process that has a filter itself, as "
               "callcensus has here";
    return {};
}

}  // namespace callcensus::ptrace
