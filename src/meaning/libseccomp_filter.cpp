#include "meaning/libseccomp_filter.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace callcensus {
namespace {

constexpr suseconds_t max_time = 200'000;  // µs; thousands of rules take a tenth of it

scmp_compare libseccomp_comparison(Comparison comparison) {
    switch (comparison) {
        case Comparison::ne:
            return SCMP_CMP_NE;
        case Comparison::lt:
            return SCMP_CMP_LT;
        case Comparison::le:
            return SCMP_CMP_LE;
        case Comparison::eq:
            return SCMP_CMP_EQ;
        case Comparison::ge:
            return SCMP_CMP_GE;
        case Comparison::gt:
            return SCMP_CMP_GT;
        case Comparison::masked_eq:
            return SCMP_CMP_MASKED_EQ;
        case Comparison::unknown:
            break;
    }
    return _SCMP_CMP_MIN;
}

Result<UniqueFd> memory_file() {
    UniqueFd file(::memfd_create("callcensus filter", MFD_CLOEXEC));
    if (file.get() < 0) return fail("no memory for the filter", {}, errno);
    return file;
}

Result<std::string> content_of(const UniqueFd& file) {
    std::string text;
    text.resize(static_cast<std::size_t>(std::max<off_t>(::lseek(file.get(), 0, SEEK_END), 0)));
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count =
            ::pread(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail("the filter cannot be read back", {}, errno);
        done += static_cast<std::size_t>(count);
    }
    return text;
}

tl::unexpected<Error> no_filter(int result) {
    return fail("libseccomp cannot write the filter", {}, -result);
}

}  // namespace

std::uint32_t seccomp_action(const Decision& decision) {
    switch (decision.action) {
        case Action::allow:
            return SCMP_ACT_ALLOW;
        case Action::errno_:
            return SCMP_ACT_ERRNO(decision.value);
        case Action::kill:
        case Action::kill_thread:
            return SCMP_ACT_KILL_THREAD;
        case Action::kill_process:
            return SCMP_ACT_KILL_PROCESS;
        case Action::trap:
            return SCMP_ACT_TRAP;
        case Action::trace:
            return SCMP_ACT_TRACE(decision.value);
        case Action::log:
            return SCMP_ACT_LOG;
        case Action::notify:
            return SCMP_ACT_NOTIFY;
    }
    return SCMP_ACT_KILL_PROCESS;
}

Decision decision_of_answer(std::uint32_t answer) {
    const std::uint32_t data = answer & SECCOMP_RET_DATA;
    switch (answer & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
            return {Action::allow, 0};
        case SECCOMP_RET_LOG:
            return {Action::log, 0};
        case SECCOMP_RET_ERRNO:
            return {Action::errno_, data};
        case SECCOMP_RET_TRACE:
            return {Action::trace, data};
        case SECCOMP_RET_TRAP:
            return {Action::trap, 0};
        case SECCOMP_RET_USER_NOTIF:
            return {Action::notify, 0};
        case SECCOMP_RET_KILL_THREAD:
            return {Action::kill_thread, 0};
        default:
            return {Action::kill_process, 0};
    }
}

void LibseccompFilter::Release::operator()(void* context) const { seccomp_release(context); }

std::unique_ptr<LibseccompFilter> LibseccompFilter::begin(const Decision& otherwise, Abi native) {
    Context context(seccomp_init(seccomp_action(otherwise)));
    if (!context) return nullptr;
    // libseccomp begins with the ABI of this machine.
    if (const std::uint32_t arch = info(native).scmp_arch; arch != seccomp_arch_native())
        if (seccomp_arch_add(context.get(), arch) < 0 ||
            seccomp_arch_remove(context.get(), seccomp_arch_native()) < 0)
            return nullptr;
    return std::unique_ptr<LibseccompFilter>(new LibseccompFilter(std::move(context)));
}

int LibseccompFilter::add_architecture(Abi abi) {
    const int result = seccomp_arch_add(context_.get(), info(abi).scmp_arch);
    return result == -EEXIST ? 0 : result;
}

int LibseccompFilter::add(const std::string& call, const Decision& decision, const Conditions& conditions) {
    std::vector<scmp_arg_cmp> comparisons;
    for (const ArgumentCondition& condition : conditions)
        comparisons.push_back({condition.index, libseccomp_comparison(condition.op), condition.value,
                               condition.op == Comparison::masked_eq ? condition.value_two : 0});
    return seccomp_rule_add_array(context_.get(), seccomp_action(decision),
                                  seccomp_syscall_resolve_name(call.c_str()),
                                  static_cast<unsigned>(comparisons.size()), comparisons.data());
}

Result<Filter> LibseccompFilter::code() const {
    const auto file = memory_file();
    if (!file) return tl::unexpected(file.error());
    if (const int result = seccomp_export_bpf(context_.get(), file->get()); result < 0)
        return no_filter(result);
    const auto content = content_of(*file);
    if (!content) return tl::unexpected(content.error());
    Filter code(content->size() / sizeof(sock_filter));
    std::copy_n(content->data(), code.size() * sizeof(sock_filter), reinterpret_cast<char*>(code.data()));
    return code;
}

Result<std::string> LibseccompFilter::pfc() const {
    const auto file = memory_file();
    if (!file) return tl::unexpected(file.error());
    if (const int result = seccomp_export_pfc(context_.get(), file->get()); result < 0)
        return no_filter(result);
    return content_of(*file);
}

bool comes_to_an_end(const std::function<void()>& calls_of_libseccomp) {
    const pid_t child = ::fork();
    if (child < 0) return true;
    if (child == 0) {
        std::signal(SIGPROF, SIG_DFL);
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGPROF);
        ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
        const itimerval limit{{0, 0}, {0, max_time}};
        ::setitimer(ITIMER_PROF, &limit, nullptr);
        calls_of_libseccomp();
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return true;
    return WIFEXITED(status);
}

}  // namespace callcensus
