// What the annotations of a container ask of the hook.
//
//     io.containers.trace-syscall=of:/tmp/seccomp.json;if:/etc/baseline.json
//     io.callcensus.options=engine:ptrace;recording:/tmp/run.json
//
// The first one is oci-seccomp-bpf-hook's, with its grammar: it decides whether anything is recorded at all.
// The second one is our own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "callcensus/derive.hpp"
#include "callcensus/result.hpp"
#include "format/runtime_spec.hpp"

namespace callcensus::cli {

constexpr std::string_view trace_annotation = "io.containers.trace-syscall";
constexpr std::string_view options_annotation = "io.callcensus.options";

struct HookRequest {
    enum class Engine : std::uint8_t { automatic, ptrace, adaptive, suspend };

    std::string output;
    std::string baseline;   ///< empty: none
    std::string recording;  ///< empty: none is kept
    Engine engine = Engine::automatic;
    std::string format;  ///< its id; empty: that of the file that is there already, or oci
    RuntimeSet runtime = RuntimeSet::any;
    bool replace_existing = false;
    bool keep_privileges = false;
};

/// Empty where nothing is asked for. Every error begins with `invalid annotation: `.
[[nodiscard]] Result<std::optional<HookRequest>> read_request(const Annotations& annotations);

}  // namespace callcensus::cli
