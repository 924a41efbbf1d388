#include "container/hook.hpp"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.hpp"
#include "base/signals.hpp"
#include "base/unique_fd.hpp"
#include "container/background.hpp"
#include "container/container_observer.hpp"
#include "container/hook_files.hpp"
#include "container/hook_job.hpp"
#include "container/system_log.hpp"
#include "format/limits.hpp"

namespace callcensus {
namespace {

void record(const HookJob& job, HookFiles& files, UniqueFd pipe) {
    for (const std::string& note : job.notes)
        to_system_log(LOG_INFO, "container " + job.container + ": " + note);
    ContainerObserver observer(job, files, std::move(pipe));
    const auto outcome = job.recorder->run(Container{job.init}, job.plan, observer);
    ignore_requests_to_end();
    observer.finish(outcome);
}

// Without the destructors of the hook's objects: the descriptors that they would close are closed, or
// another's by now.
[[noreturn]] void record_and_exit(const HookJob& job, HookFiles& files, UniqueFd pipe) {
    if (const auto done = go_to_background(pipe); !done) {
        static_cast<void>(write_all(pipe.get(), done.error().text(), "the pipe to the hook"));
        ::_exit(1);
    }
    record(job, files, std::move(pipe));
    ::_exit(0);
}

// Returns when the recorder follows the container, or has told why it cannot.
Result<void> wait_for_recorder(const UniqueFd& pipe) {
    std::string told;
    char letter = 0;
    for (;;) {
        const ssize_t size = ::read(pipe.get(), &letter, 1);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        if (letter == follows_container && told.empty()) return {};
        told += letter;
    }
    return fail(told.empty() ? "the recorder ended before it could follow the container" : told);
}

Result<void> answer(const Registration& registration) {
    const auto state = read_file("-", largest_runtime_json);
    if (!state) return tl::unexpected(state.error());
    const auto job = read_job(*state, registration);
    if (!job) return tl::unexpected(job.error());
    if (!*job) return {};
    auto files = HookFiles::prepare((*job)->request);
    if (!files) return tl::unexpected(files.error());

    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail("no pipe can be made", {}, errno);
    const UniqueFd ours(ends[0]);
    UniqueFd of_recorder(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return fail("no process can be made to record the container", {}, errno);
    if (child == 0) record_and_exit(**job, *files, std::move(of_recorder));
    of_recorder.reset();
    return wait_for_recorder(ours);
}

}  // namespace

Result<void> run_hook(const Registration& registration) {
    open_system_log();
    auto answered = answer(registration);
    if (!answered) to_system_log(LOG_ERR, answered.error().text());
    return answered;
}

}  // namespace callcensus
