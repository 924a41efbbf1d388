// What the annotations of a container ask of the hook.
//
//     io.containers.trace-syscall=of:/var/lib/callcensus/ls.json;if:/etc/baseline.json
//     io.callcensus.options=engine:ptrace;recording:/var/lib/callcensus/run.json
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

namespace callcensus {

constexpr std::string_view trace_annotation = "io.containers.trace-syscall";
constexpr std::string_view options_annotation = "io.callcensus.options";

/// Where strangers' files are, unless the administrator names another directory.
constexpr std::string_view default_directory = "/var/lib/callcensus";

/// Who asks. docs/containers.md, "Who may ask for what", has the rule; which value of which option is a
/// stranger's to ask for is a column of the table in hook_request.cpp.
enum class Asker : std::uint8_t {
    stranger,  ///< an image, or the author of a pod: new files in one directory, nothing that weakens
               ///< anything
    owner      ///< who could do all of it himself
};
struct Limits {
    Asker asker = Asker::stranger;
    std::string directory{default_directory};  ///< of a stranger's files; absolute
};

struct HookRequest {
    enum class Engine : std::uint8_t { automatic, ptrace, adaptive, suspend };

    Limits limits;
    std::string output;
    std::string baseline;   ///< empty: none
    std::string recording;  ///< empty: none is kept
    Engine engine = Engine::automatic;
    std::string format;  ///< its id; empty: that of the file that is there already, or oci
    RuntimeSet runtime = RuntimeSet::any;
    bool replace_existing = false;
    bool keep_privileges = false;
};

/// Whether anything is asked for.
[[nodiscard]] bool asks_for_recording(const Annotations& annotations);

/// Empty where nothing is asked for. Every error begins with `invalid annotation: `. Paths are not looked at.
[[nodiscard]] Result<std::optional<HookRequest>> read_request(const Annotations& annotations,
                                                              const Limits& limits);

}  // namespace callcensus
