#include "callcensus/profile_text.hpp"

namespace callcensus {

Place ProfileText::place_of(std::string_view path) const {
    while (true) {
        const auto found = places.find(path);
        if (found != places.end()) return found->second;
        if (path.empty()) return {};
        const auto end = path.find_last_of(".[");
        path = path.substr(0, end == std::string_view::npos ? 0 : end);
    }
}

}  // namespace callcensus
