// What kind of file a text is, told by what it says of itself: the one place that decides it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "callcensus/result.hpp"

namespace callcensus {

enum class TextKind : std::uint8_t {
    profile,         ///< JSON that is nothing below, mistakes included
    recording,       ///< ours
    runtime_config,  ///< config.json of a container
    manifest,        ///< Kubernetes objects, as YAML or JSON
    minijail,
    systemd,      ///< a unit or a drop-in
    filter,       ///< an array of struct sock_filter
    firecracker,  ///< filters of its seccompiler
    elf,
    unknown,
};

/// Told by the first bytes and lines; no promise that it can be read.
[[nodiscard]] TextKind recognize(std::string_view text);

/// Why a text of that kind cannot be read as a profile, and what to do. Only for kinds without a reader.
[[nodiscard]] tl::unexpected<Error> refuse(TextKind kind, std::string_view text, const std::string& source);

}  // namespace callcensus
