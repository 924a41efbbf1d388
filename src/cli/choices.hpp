// Words that several commands take, and what they stand for.
#pragma once

#include <cstdint>
#include <vector>

#include "callcensus/runtime_set.hpp"
#include "cli/command_line.hpp"

namespace callcensus::cli {

enum class ReportFormat : std::uint8_t { text, json, markdown, sarif, junit };

[[nodiscard]] inline std::vector<Word<RuntimeSet>> runtime_choices() {
    return {{"runc", RuntimeSet::runc},
            {"crun", RuntimeSet::crun},
            {"any", RuntimeSet::any},
            {"none", RuntimeSet::none}};
}

}  // namespace callcensus::cli
