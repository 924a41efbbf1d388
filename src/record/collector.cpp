#include "callcensus/collector.hpp"

namespace callcensus {

void Collector::on(const Event& event) {
    tree_.on(event);
    attribution_.on(event);
    builder_.on(event);
    const auto* const seen = std::get_if<SyscallSeen>(&event);
    if (seen == nullptr || sites_ != Sites::recorded || !builder_.wants_site(seen->call)) return;
    if (const auto site = attribution_.new_site_of(*seen)) builder_.add_site(seen->call, *site);
}

}  // namespace callcensus
