#include "container/background.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>

#include "base/redirected.hpp"
#include "base/signals.hpp"

namespace callcensus {
namespace {

constexpr int place_of_pipe = STDERR_FILENO + 1;

}  // namespace

Result<void> go_to_background(UniqueFd& pipe) {
    ::setsid();
    // Out of the way first: where the runtime has closed its standard streams the pipe may be one of them.
    const int kept = ::fcntl(pipe.get(), F_DUPFD, place_of_pipe + 1);
    if (kept < 0) return fail("no descriptor is left for the recorder", {}, errno);
    pipe = UniqueFd(kept);
    UniqueFd null(::open("/dev/null", O_RDWR));
    if (!null) return fail("cannot be opened", "/dev/null", errno);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (!put_in_place(null.get(), standard))
            return fail("cannot take a standard stream's place", "/dev/null", errno);
    // It is one of these, gives way to the pipe, or is closed with the others.
    static_cast<void>(null.release());
    if (!put_in_place(kept, place_of_pipe)) return fail("no descriptor is left for the recorder", {}, errno);
    pipe = UniqueFd(place_of_pipe);
    ::closelog();  // whose descriptor goes with the others
    ::closefrom(place_of_pipe + 1);
    // The directory may be the container's bundle, which is to be removed when it ends.
    static_cast<void>(::chdir("/"));
    // Files of mode 0644 at most, whatever mask the runtime has set.
    ::umask(::umask(0) | 022);
    accept_requests_to_end();
    return {};
}

}  // namespace callcensus
