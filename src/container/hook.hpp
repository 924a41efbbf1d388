// callcensus hook, as a container runtime runs it just before it starts a container, at the stages prestart
// and createRuntime of the OCI runtime specification. Where an annotation of the container asks for it, a
// process of ours stays behind, records the container to its end and writes its profile.
#pragma once

#include "callcensus/result.hpp"
#include "container/hook_trust.hpp"

namespace callcensus {

/// Reads the container's state from standard input. Returns when a recorder follows the container, or nothing
/// is asked for; an error, which is in the system's log, too, is to keep the container from starting.
[[nodiscard]] Result<void> run_hook(const Registration& registration);

}  // namespace callcensus
