/// The container runtimes whose own calls a profile has to allow: runc and crun make them between loading the
/// filter and executing the command.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace callcensus {

enum class RuntimeSet : std::uint8_t { any, runc, crun, none };
/// By that name; empty where there is none.
[[nodiscard]] std::optional<RuntimeSet> find_runtime_set(std::string_view name);

}  // namespace callcensus
