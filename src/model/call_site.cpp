#include "callcensus/call_site.hpp"

#include <fmt/format.h>

namespace callcensus {

std::string module_name(const CallSite& site) {
    // "[heap]" and "/memfd:code (deleted)" have no directory; a name in brackets may hold a slash.
    if (site.module.empty() || site.module.front() != '/') return site.module;
    return site.module.substr(site.module.rfind('/') + 1);
}

std::string text(const CallSite& site) {
    if (site.symbol.empty()) return fmt::format("{}+{:#x}", module_name(site), site.offset);
    return fmt::format("{} ({}+{:#x})", module_name(site), site.symbol, site.symbol_offset);
}

std::string short_text(const CallSite& site) {
    if (site.symbol.empty()) return text(site);
    return fmt::format("{} ({})", module_name(site), site.symbol);
}

}  // namespace callcensus
