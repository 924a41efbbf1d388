// Other standard streams for a scope: what we start in it inherits them.
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "base/unique_fd.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// As dup2(2), whatever signal comes; errno where it fails.
[[nodiscard]] bool put_in_place(int fd, int place);

class Redirected {
  public:
    /// Standard input, output and error become the same files as these descriptors: each is above them, or
    /// that of a later stream, or that of the stream itself, which then stays as it is. After an error all
    /// are as they were.
    [[nodiscard]] static Result<Redirected> to(std::array<int, 3> streams);

    Redirected(Redirected&& other) noexcept : before_(std::exchange(other.before_, {})) {}
    Redirected& operator=(Redirected&&) = delete;
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    /// As they were, also where they were closed.
    ~Redirected();

  private:
    // What was there before; a descriptor that is none for a stream that was closed, and nothing for one that
    // was left alone.
    using Before = std::optional<UniqueFd>;

    Redirected() = default;
    [[nodiscard]] Result<void> replace(int fd, int stream);

    std::array<Before, 3> before_;
};

/// The same file by another descriptor, where it has one of the standard streams' numbers: as a file has that
/// was opened while one of them was closed. It is closed on exec. An error, errno says why, is a descriptor
/// that is none.
[[nodiscard]] UniqueFd above_standard_streams(UniqueFd fd);

}  // namespace callcensus
