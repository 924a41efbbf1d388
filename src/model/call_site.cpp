#include "callcensus/call_site.hpp"

#include <fmt/format.h>

namespace callcensus {
namespace {

std::string text_with(const std::string& module, const CallSite& site) {
    if (site.symbol.empty()) return fmt::format("{}+{:#x}", module, site.offset);
    return fmt::format("{} ({}+{:#x})", module, site.symbol, site.symbol_offset);
}

}  // namespace

std::string module_name(const CallSite& site) {
    // "[heap]" and "/memfd:code (deleted)" have no directory; a name in brackets may hold a slash.
    if (site.module.empty() || site.module.front() != '/') return site.module;
    return site.module.substr(site.module.rfind('/') + 1);
}

std::string text(const CallSite& site) { return text_with(module_name(site), site); }

std::string full_text(const CallSite& site) { return text_with(site.module, site); }

std::string short_text(const CallSite& site) {
    if (site.symbol.empty()) return text(site);
    return fmt::format("{} ({})", module_name(site), site.symbol);
}

}  // namespace callcensus
