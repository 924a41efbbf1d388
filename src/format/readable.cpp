// A file of any kind that we read, told apart by what it says of itself.
#include "callcensus/format.hpp"
#include "format/formats.hpp"
#include "format/recognition.hpp"

namespace callcensus {
namespace {

// The reader of a kind; null where there is none.
auto reader_of(TextKind kind) -> Result<Profile> (*)(std::string_view, const ReadContext&) {
    switch (kind) {
        case TextKind::profile:
            return read_oci;
        case TextKind::runtime_config:
            return read_runtime_config;
        case TextKind::manifest:
            return read_spo;
        case TextKind::minijail:
            return read_minijail;
        case TextKind::systemd:
            return read_systemd;
        default:
            return nullptr;
    }
}

ReadContext named(const std::string& source) {
    ReadContext context;
    context.source = source;
    return context;
}

Result<void> check_choice(TextKind kind, const ReadContext& context) {
    if (context.choose.empty() || kind == TextKind::manifest) return {};
    return fail(
        "has no names: only a Kubernetes manifest has, of which \"#" + context.choose + "\" chooses one",
        context.source);
}

}  // namespace

const FormatInfo& format_of(std::string_view text) {
    switch (recognize(text)) {
        case TextKind::manifest:
            return *find_format("spo");
        case TextKind::minijail:
            return *find_format("minijail");
        case TextKind::systemd:
            return *find_format("systemd");
        default:
            return *find_format("oci");
    }
}

bool is_recording_text(std::string_view text) { return recognize(text) == TextKind::recording; }

Result<Profile> read_profile(std::string_view text, const ReadContext& context) {
    const TextKind kind = recognize(text);
    if (auto possible = check_choice(kind, context); !possible) return tl::unexpected(possible.error());
    const auto reader = reader_of(kind);
    return reader == nullptr ? Result<Profile>(refuse(kind, text, context.source)) : reader(text, context);
}

Result<Profile> read_profile(std::string_view text, const std::string& source) {
    return read_profile(text, named(source));
}

Result<std::vector<ProfileInText>> read_profiles(std::string_view text, const ReadContext& context) {
    if (recognize(text) == TextKind::manifest) return read_manifests(text, context);
    return read_profile(text, context).map([](Profile&& profile) {
        std::vector<ProfileInText> one;
        one.push_back({"", std::move(profile)});
        return one;
    });
}

Result<std::vector<ProfileText>> read_all_leniently(std::string_view text, const ReadContext& context) {
    const TextKind kind = recognize(text);
    if (auto possible = check_choice(kind, context); !possible) return tl::unexpected(possible.error());
    switch (kind) {
        case TextKind::manifest:
            return read_manifests_leniently(text, context);
        case TextKind::minijail:
        case TextKind::systemd:
            return fail(std::string("is a ") +
                            (kind == TextKind::minijail ? "minijail policy" : "systemd unit") +
                            "; `callcensus convert` makes JSON of it, which can be judged",
                        context.source);
        case TextKind::profile:
        case TextKind::runtime_config:
        case TextKind::firecracker:
        // Runtimes take any JSON object for a profile, and lint() says what comes of it.
        case TextKind::recording:
            return read_oci_leniently(text, context.source).map([](ProfileText&& profile) {
                std::vector<ProfileText> one;
                one.push_back(std::move(profile));
                return one;
            });
        default:
            return refuse(kind, text, context.source);
    }
}

Result<ProfileText> read_leniently(std::string_view text, const ReadContext& context) {
    auto all = read_all_leniently(text, context);
    if (!all) return tl::unexpected(all.error());
    if (all->size() == 1) return std::move(all->front());
    return fail("holds several profiles", context.source);
}

Result<ProfileText> read_leniently(std::string_view text, const std::string& source) {
    return read_leniently(text, named(source));
}

Result<Readable> parse_any(std::string_view text, const ReadContext& context) {
    if (is_recording_text(text))
        return parse_recordings(text, context.source).map([](std::vector<Recording>&& it) {
            return Readable(std::move(it));
        });
    return read_profile(text, context).map([](Profile&& it) { return Readable(std::move(it)); });
}

Result<Readable> parse_any(std::string_view text, const std::string& source) {
    return parse_any(text, named(source));
}

}  // namespace callcensus
