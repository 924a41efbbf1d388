// What a hook has to do: from the state that a container's runtime tells it, and from the container's bundle.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/recorder.hpp"
#include "callcensus/result.hpp"
#include "container/hook_request.hpp"
#include "container/hook_trust.hpp"

namespace callcensus {

struct HookJob {
    HookRequest request;
    pid_t init = 0;  ///< the container's first process, as we see it
    std::string container;
    std::vector<std::string> command;
    const Recorder* recorder = nullptr;
    Plan plan;
    std::vector<std::string> notes;  ///< why it is recorded as it is, one line each
};

/// `state` is what the runtime writes to the standard input of a hook. Empty where nothing is to be recorded.
[[nodiscard]] Result<std::optional<HookJob>> read_job(std::string_view state,
                                                      const Registration& registration);

}  // namespace callcensus
