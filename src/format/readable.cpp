// A file of any kind that we read, told apart by what it says of itself.
#include <algorithm>

#include "callcensus/format.hpp"
#include "format/formats.hpp"
#include "format/located_json.hpp"

namespace callcensus {

Result<Readable> parse_any(std::string_view text, const std::string& source) {
    if (looks_like_yaml(text) || looks_like_minijail(text))
        return read_profile(text, source).map([](Profile&& it) { return Readable(std::move(it)); });
    const auto root = parse_located(text, source);
    if (!root) return tl::unexpected(root.error());
    // Only recordings say what they are.
    const bool is_recording = std::any_of(root->members.begin(), root->members.end(),
                                          [](const LocatedMember& member) { return member.key == "format"; });
    if (is_recording)
        return parse_recordings(text, source).map([](std::vector<Recording>&& it) {
            return Readable(std::move(it));
        });
    return parse_profile(text, source).map([](Profile&& it) { return Readable(std::move(it)); });
}

}  // namespace callcensus
