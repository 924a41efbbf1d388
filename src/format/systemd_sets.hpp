// What systemd means in SystemCallFilter= and its relatives, for the reader and the writer of units.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"

namespace callcensus {

/// The calls of a set ("@system-service") and of those in it, in systemd's order; empty where systemd 252 has
/// none of that name. Later versions have added calls to some.
[[nodiscard]] std::optional<std::vector<std::string_view>> find_systemd_set(std::string_view name);

[[nodiscard]] std::string nearest_systemd_set(std::string_view name);

/// As SystemCallArchitectures= has it: "x86-64" (systemd.exec(5), src/shared/seccomp-util.c).
[[nodiscard]] std::string_view systemd_name(Abi abi);
[[nodiscard]] const AbiInfo* find_abi_of_systemd(std::string_view name);

}  // namespace callcensus
