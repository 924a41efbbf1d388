#include "container/system_log.hpp"

#include <syslog.h>

#include "base/printable.hpp"

namespace callcensus {

void open_system_log() { ::openlog("callcensus", LOG_PID, LOG_DAEMON); }

void to_system_log(int priority, const std::string& line) {
    ::syslog(LOG_DAEMON | priority, "%s", printable(line).c_str());
}

}  // namespace callcensus
