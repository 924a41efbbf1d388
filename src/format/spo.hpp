// What a SeccompProfile of the security-profiles-operator calls itself.
#pragma once

#include <string_view>

namespace callcensus {

constexpr std::string_view spo_api_version = "security-profiles-operator.x-k8s.io/v1beta1";
constexpr std::string_view spo_kind = "SeccompProfile";

}  // namespace callcensus
