// Call sites in the reports' JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "callcensus/call_site.hpp"

namespace callcensus {

[[nodiscard]] inline nlohmann::ordered_json site_json(const CallSite& site) {
    return {{"module", site.module},
            {"build_id", site.build_id},
            {"offset", site.offset},
            {"symbol", site.symbol},
            {"symbol_offset", site.symbol_offset}};
}

[[nodiscard]] inline nlohmann::ordered_json sites_json(const std::vector<CallSite>& sites) {
    auto array = nlohmann::ordered_json::array();
    for (const CallSite& site : sites) array.push_back(site_json(site));
    return array;
}

}  // namespace callcensus
