#include "record/ptrace/ending.hpp"

#include <algorithm>

namespace callcensus::ptrace {

void Ending::begins(Time now) {
    if (terms_.tick) next_tick_ = now + *terms_.tick;
    if (terms_.timeout) time_is_up_ = now + *terms_.timeout;
}

std::optional<Ending::Time> Ending::next_deadline() const {
    std::optional<Time> first;
    for (const auto& deadline : {next_tick_, time_is_up_, kill_at_, leave_at_})
        if (deadline && (!first || *deadline < *first)) first = deadline;
    return first;
}

std::optional<Ending::Step> Ending::due(Time now) {
    const auto passed = [&](std::optional<Time>& deadline) {
        if (!deadline || now < *deadline) return false;
        deadline.reset();
        return true;
    };
    if (passed(kill_at_)) return Step::kill;
    if (passed(time_is_up_)) {
        if (!terms_.ends_target) return Step::let_go;
        kill_at_ = now + terms_.kill_after;
        return Step::ask;
    }
    if (passed(leave_at_)) {
        left_ = true;
        return Step::leave;
    }
    if (passed(next_tick_)) {
        // With none in between, the clock would tick for ever at this moment.
        next_tick_ = now + std::max(*terms_.tick, std::chrono::milliseconds(1));
        return Step::tick;
    }
    return std::nullopt;
}

std::optional<Ending::Step> Ending::requested(Time now) {
    if (!first_request_) {
        first_request_ = now;
        return Step::ask;
    }
    return now - *first_request_ > one_request ? std::optional(Step::kill) : std::nullopt;
}

std::optional<Ending::Step> Ending::let_go(Time now, bool depends_on_us) {
    if (letting_go_) return std::nullopt;
    if (depends_on_us) return requested(now);
    letting_go_ = true;
    if (!terms_.dies_with_us) leave_at_ = now + time_to_stop;
    return Step::let_go;
}

std::optional<Ending::Step> Ending::first_process_ended() const {
    return terms_.until_exit ? std::optional(Step::let_go) : std::nullopt;
}

void Ending::kills(Time now, bool in_containers) {
    spares_engines_ = in_containers && !killing_;
    if (spares_engines_) kill_at_ = now + time_to_clean_up;
    killing_ = true;
}

}  // namespace callcensus::ptrace
