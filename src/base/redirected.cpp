#include "base/redirected.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace callcensus {
namespace {

constexpr int first_other = STDERR_FILENO + 1;
constexpr std::array names{"standard input", "standard output", "standard error"};

}  // namespace

bool put_in_place(int fd, int place) {
    int done = -1;
    do done = ::dup2(fd, place);
    while (done < 0 && errno == EINTR);
    return done >= 0;
}

Result<Redirected> Redirected::to(std::array<int, 3> streams) {
    Redirected redirected;  // takes back what was done before an error
    for (int fd = 0; fd < first_other; ++fd)
        if (const int stream = streams.at(static_cast<std::size_t>(fd)); stream != fd)
            if (auto done = redirected.replace(fd, stream); !done) return tl::unexpected(done.error());
    return redirected;
}

Result<void> Redirected::replace(int fd, int stream) {
    const auto index = static_cast<std::size_t>(fd);
    UniqueFd before(::fcntl(fd, F_DUPFD_CLOEXEC, first_other));
    if (const int reason = errno; !before && reason != EBADF)
        return fail("cannot be kept while another file takes its place", names.at(index), reason);
    if (!put_in_place(stream, fd)) return fail("cannot be replaced", names.at(index), errno);
    before_.at(index) = std::move(before);
    return {};
}

Redirected::~Redirected() {
    for (int fd = 0; fd < first_other; ++fd) {
        const Before& before = before_.at(static_cast<std::size_t>(fd));
        if (!before) continue;
        if (*before)
            static_cast<void>(put_in_place(before->get(), fd));  // needs no new descriptor: this one is open
        else
            ::close(fd);
    }
}

UniqueFd above_standard_streams(UniqueFd fd) {
    if (!fd || fd.get() >= first_other) return fd;
    return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, first_other));
}

}  // namespace callcensus
