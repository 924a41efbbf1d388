#include "record/ptrace/seize.hpp"

#include <unistd.h>

#include <cerrno>
#include <unordered_set>

#include "base/procfs.hpp"
#include "record/ptrace/permission.hpp"
#include "record/ptrace/task_requests.hpp"

namespace callcensus::ptrace {
namespace {

// A listing of /proc/PID/task is not taken in one moment: a thread can be passed over when one before it ends
// meanwhile. Once all that a listing shows are seized nobody is left to create one that is not, so that the
// second quiet listing is the proof.
constexpr int quiet_listings_needed = 2;

}  // namespace

Result<void> seize_threads(pid_t process, long options, std::vector<pid_t>& seized) {
    const pid_t self = ::getpid();
    if (process == self) return fail("callcensus cannot trace itself");
    std::unordered_set<pid_t> known;
    bool any = false;
    for (int quiet_listings = 0; quiet_listings < quiet_listings_needed;) {
        bool news = false;
        for (const pid_t tid : procfs::threads(process)) {
            if (!known.insert(tid).second) continue;
            news = true;
            const int errnum = ptrace::seize(tid, options);
            if (errnum == 0) {
                any = true;
                seized.push_back(tid);
                interrupt(tid);
                continue;
            }
            const auto status = procfs::task_status(tid);
            // Gone, or a leader whose threads have outlived it, or created by one that we have seized.
            if (!status || status->has_ended) continue;
            if (status->tracer == self) {
                any = true;
                continue;
            }
            if (errnum == EINVAL || errnum == EIO)
                return fail("cannot trace: this kernel refuses PTRACE_SEIZE with these options", {}, errnum);
            return fail("cannot trace: " + why_ptrace_is_forbidden_for(process));
        }
        quiet_listings = news ? 0 : quiet_listings + 1;
    }
    if (!any) return fail("cannot trace: " + why_ptrace_is_forbidden_for(process));
    return {};
}

}  // namespace callcensus::ptrace
