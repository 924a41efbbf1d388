#include "record/ptrace/interruption.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "abi/known_call.hpp"

namespace callcensus::ptrace {
namespace {

// In the kernel's include/linux/errno.h, seen only by tracers: begin again, or EINTR where a handler runs.
constexpr std::int64_t restart_unless_handled = -514;  // -ERESTARTNOHAND

// Of these EINTR says that nothing has been done, so that the call can be made again.
bool can_be_made_again(Syscall call) {
    static const std::array calls{
        KnownCall("epoll_wait"),
        KnownCall("epoll_pwait"),
        KnownCall("epoll_pwait2"),
        KnownCall("semop"),
        KnownCall("semtimedop"),
        KnownCall("semtimedop_time64"),
        KnownCall("rt_sigtimedwait"),
        KnownCall("rt_sigtimedwait_time64"),
        KnownCall("io_getevents"),
        KnownCall("io_pgetevents"),
        KnownCall("io_pgetevents_time64"),
        KnownCall("read"),
        KnownCall("readv"),
        KnownCall("recvfrom"),
        KnownCall("recvmsg"),
        KnownCall("recvmmsg"),
        KnownCall("recvmmsg_time64"),
        KnownCall("accept"),
        KnownCall("accept4"),
        KnownCall("sendto"),
        KnownCall("sendmsg"),
        KnownCall("sendmmsg"),
        KnownCall("write"),
        KnownCall("writev"),
        KnownCall("connect"),
        KnownCall("io_uring_enter"),
    };
    return std::any_of(calls.begin(), calls.end(), [&](const KnownCall& known) { return known.is(call); });
}

}  // namespace

std::optional<std::pair<Syscall, procfs::CallInProgress>> interrupted_call(const StoppedTask& task) {
    const auto in_progress = procfs::call_in_progress(task.tid());
    const auto info = task.syscall_info();
    if (!in_progress || !info) return std::nullopt;
    const auto call = identify(info->arch, in_progress->number);
    if (!call) return std::nullopt;
    return std::pair(*call, *in_progress);
}

bool undo_interruption(const StoppedTask& task) {
    if (task.result() != -EINTR) return false;
    const auto call = interrupted_call(task);
    return call && can_be_made_again(call->first) && task.set_result(restart_unless_handled);
}

}  // namespace callcensus::ptrace
