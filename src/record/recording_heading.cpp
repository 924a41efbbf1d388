#include "record/recording_heading.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "callcensus/version.hpp"

namespace callcensus {

void RecordingHeading::put_on(Recording& recording) const {
    utsname system{};
    ::uname(&system);
    recording.generator = std::string("callcensus ") + version;
    recording.engine = engine;
    recording.host = {system.release, system.machine};
    recording.command = command;
    recording.started = started;
}

std::string gap_of_snapshot(std::string_view what) {
    return fmt::format("a snapshot taken while the {} ran: callcensus did not live to write the whole", what);
}

std::string gap_of_let_go(std::size_t tasks) {
    return fmt::format("stopped following {} that went on running",
                       tasks == 1 ? "a task" : fmt::format("{} tasks", tasks));
}

}  // namespace callcensus
