// YAML text as the same located tree that JSON text becomes, so that one decoder reads both.
//
// Only what Kubernetes manifests need: documents of maps, lists and scalars. Anchors, aliases and
// tags are refused, and with them what they are abused for.
#pragma once

#include <string>
#include <string_view>

#include "callcensus/result.hpp"
#include "format/located_json.hpp"

namespace callcensus {

[[nodiscard]] Result<std::vector<LocatedJson>> parse_located_yaml(std::string_view text,
                                                                  const std::string& source);

}  // namespace callcensus
