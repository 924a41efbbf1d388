// The largest errno that a rule can return.
#pragma once

#include <cstdint>

namespace callcensus {

/// MAX_ERRNO of include/linux/err.h. libseccomp refuses more (db_action_valid), and with it every runtime.
constexpr std::uint32_t largest_errno = 4095;

}  // namespace callcensus
