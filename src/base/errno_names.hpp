// The symbolic names of errno values, the kernel-internal restart codes included (include/linux/errno.h),
// which a tracer sees as results of calls that a signal interrupted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callcensus {

/// "ENOENT"; "E1234" for a number without a name.
[[nodiscard]] std::string errno_name(int errnum);
[[nodiscard]] std::optional<int> errno_from_name(std::string_view name);

}  // namespace callcensus
