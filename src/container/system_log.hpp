// The system's log, for what nobody waits to hear: crun shows no more of a hook than its status, and the
// recorder of a container has no standard error.
#pragma once

#include <string>

namespace callcensus {

/// Our name, before the first line.
void open_system_log();
/// One line, fit for a terminal. `priority` is syslog(3)'s: LOG_ERR and the like.
void to_system_log(int priority, const std::string& line);

}  // namespace callcensus
