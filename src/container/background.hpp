// A process of ours that stays behind when the one that a runtime waits for has ended.
#pragma once

#include "base/unique_fd.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// Makes the calling process, a child that has just been forked, one of its own: a session without a
/// terminal, the root as its directory, no signal ignored or blocked, and no descriptor open but /dev/null
/// for the standard streams and the pipe, which moves. For nothing of ours may keep the runtime waiting: runc
/// reads the standard output and error of its hooks until everybody has closed them, and what else it left
/// open is none of our business. After an error, too, the pipe is there to tell it; then the process has to
/// end, which closes the rest.
[[nodiscard]] Result<void> go_to_background(UniqueFd& pipe);

}  // namespace callcensus
