#include "container/hook_job.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "format/limits.hpp"
#include "format/runtime_spec.hpp"
#include "record/recording_heading.hpp"

namespace callcensus {
namespace {

using Engine = HookRequest::Engine;

std::string_view id_of(Engine engine) {
    switch (engine) {
        case Engine::adaptive:
            return "adaptive";
        case Engine::ptrace:
        case Engine::suspend:
            return "ptrace";
        case Engine::automatic:
            break;
    }
    return any_recorder;
}

Result<void> choose_engine(HookJob& job, bool has_filter) {
    job.plan.keep_privileges = job.request.keep_privileges;
    job.plan.suspend_filters = job.request.engine == Engine::suspend;
    job.plan.tick = snapshot_interval;
    // Where both have something to say about a call the kernel takes the stricter: what the container's own
    // filter denies would never reach the adaptive engine's trace.
    const bool is_hampered = has_filter && job.request.engine == Engine::automatic;
    const auto choice = choose_recorder(is_hampered ? id_of(Engine::ptrace) : id_of(job.request.engine),
                                        Container{job.init}, job.plan);
    if (!choice) return tl::unexpected(choice.error());
    job.recorder = choice->recorder;
    if (is_hampered)
        job.notes.emplace_back(
            "the container has a seccomp filter of its own, so the ptrace engine records it: "
            "unconfined (--security-opt seccomp=unconfined) a recording sees more, and runs faster");
    else if (!choice->why_not_another.empty())
        job.notes.push_back(
            fmt::format("the {} engine records, not {}", choice->recorder->id(), choice->why_not_another));
    return {};
}

Result<ContainerConfig> read_config(const std::string& bundle) {
    const std::string path = bundle + "/config.json";
    const auto text = read_file(path, largest_runtime_json);
    if (!text) return tl::unexpected(text.error());
    return parse_container_config(*text, path);
}

}  // namespace

Result<std::optional<HookJob>> read_job(std::string_view text, const Registration& registration) {
    const auto state = parse_container_state(text, "the container's state");
    if (!state) return tl::unexpected(state.error());
    if (state->annotations && !asks_for_recording(*state->annotations)) return std::nullopt;
    // A filter that we cannot know of is taken to be there.
    ContainerConfig config;
    config.has_filter = true;
    if (!state->bundle.empty()) {
        auto read = read_config(state->bundle);
        if (!read) return tl::unexpected(read.error());
        config = std::move(*read);
    }
    const Annotations& annotations = state->annotations ? *state->annotations : config.annotations;
    const auto request =
        read_request(annotations, limits_of(registration, annotations, state->bundle, false));
    if (!request) return tl::unexpected(request.error());
    if (!*request) return std::nullopt;
    if (state->pid <= 0)
        return fail(fmt::format("pid must be greater than 0, not {}: the hook belongs to the stages prestart "
                                "and createRuntime",
                                state->pid),
                    "the container's state");
    HookJob job;
    job.request = **request;
    job.init = state->pid;
    job.container = state->id;
    job.command = config.command;
    if (auto chosen = choose_engine(job, config.has_filter); !chosen) return tl::unexpected(chosen.error());
    return job;
}

}  // namespace callcensus
