// One of our processes at a time reads, extends and replaces the files of a directory.
#pragma once

#include <chrono>
#include <optional>

#include "base/unique_fd.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// Given up by its destructor, and by the kernel however the process ends.
///
/// flock(2) on the directory itself is everybody's to take who may open it, for as long as he likes. So the
/// lock is on a file of ours alone: below /run/callcensus for root, below $XDG_RUNTIME_DIR for others. Where
/// there is neither, as in rootless podman's user namespace, it is the directory after all, and then, and
/// only then, strangers can make us wait for the deadline. Processes of different users do not keep one
/// another out.
class DirectoryLock {
  public:
    using Clock = std::chrono::steady_clock;

    /// Waits until `deadline`, or not at all where that is past; empty where another one has the lock still.
    /// `directory` is open; `path` is for messages.
    [[nodiscard]] static Result<std::optional<DirectoryLock>> of(int directory, Clock::time_point deadline,
                                                                 const std::string& path);

  private:
    explicit DirectoryLock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace callcensus
