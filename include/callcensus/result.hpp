/// Errors as values. `Result<T>` holds either a T or an Error; nothing in the public interface throws.
///
///     callcensus::Result<Profile> profile = callcensus::parse_profile(text, "old.json");
///     if (!profile) std::cerr << profile.error().text() << '\n';
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace callcensus {

/// What went wrong, in a form that fits on one line.
struct Error {
    std::string message;  ///< what was wrong and what to do about it, no trailing full stop or newline
    std::string where;    ///< a file, or `file:line:column` (both from 1); empty where there is none
    int errnum = 0;       ///< the errno that caused it, 0 where there is none

    /// `where: message: strerror(errnum)`, leaving out what is empty.
    [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

/// Shorthand for returning an error: `return fail("is empty", path);`.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string message, std::string where = {}, int errnum = 0) {
    return tl::unexpected<Error>(Error{std::move(message), std::move(where), errnum});
}

}  // namespace callcensus
