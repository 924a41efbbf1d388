// Files that are no profiles, which most readers take for the wish to have none.
#include <algorithm>

#include "base/nearest.hpp"
#include "lint/checks.hpp"

namespace callcensus {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Programs in Go take a key in whatever case; edit_distance() does not tell upper from lower either.
bool is_key_to_go(std::string_view key, std::string_view of_profile) {
    return edit_distance(key, of_profile) == 0;
}

// Where an object stands that has a member of that name; empty for none but the root.
std::string holder_of(const ProfileText& text, std::string_view member) {
    const std::string end = "." + std::string(member);
    for (const auto& [path, place] : text.places)
        if (ends_with(path, end)) return path.substr(0, path.size() - end.size());
    return {};
}

std::string misspelt_key(const Profile& profile) {
    for (const std::string_view known : {"defaultAction", "syscalls"})
        for (const auto& [key, value] : profile.unknown)
            if (nearest_word(key, std::vector{known}) == known)
                return "write " + std::string(known) + " in place of " + key;
    return {};
}

struct Meant {
    std::string path;
    std::string what;  // as the message goes on; may be empty
    std::string fix;
};
Meant meant_by(const Lint& lint) {
    if (const std::string at = holder_of(lint.text, "defaultAction"); !at.empty()) {
        const bool is_manifest = lint.text.places.count("apiVersion") != 0;
        const bool is_config = lint.text.places.count("ociVersion") != 0;
        return {at,
                std::string(is_config     ? "this is a container's config.json, "
                            : is_manifest ? "this is a Kubernetes object, "
                                          : "") +
                    "the profile is its member " + at,
                "write what stands at " + at + " into a file of its own"};
    }
    if (const std::string at = holder_of(lint.text, "default_action"); !at.empty())
        return {at, "this looks like the filters of Firecracker's seccompiler, one for each kind of thread",
                "write a profile with defaultAction and syscalls; runtimes do not read seccompiler's"};
    if (std::string fix = misspelt_key(lint.profile); !fix.empty()) return {"", "", std::move(fix)};
    if (lint.text.places.count("format") != 0)
        return {"format", "this looks like a recording", "make a profile of it by callcensus derive"};
    return {"", "", "write a defaultAction, or say seccomp=unconfined if that is meant"};
}

}  // namespace

bool has_no_default(const Lint& lint, const Fault& fault) {
    const auto says = [&](std::string_view words) { return fault.message.find(words) != std::string::npos; };
    return (fault.kind == Fault::Kind::missing && fault.place == lint.text.place_of("") &&
            says("\"defaultAction\"")) ||
           (fault.kind == Fault::Kind::action && fault.place == lint.text.place_of("defaultAction") &&
            says("action \"\""));
}

bool says_nothing(const Lint& lint) {
    const auto& faults = lint.text.faults;
    const auto& unknown = lint.profile.unknown;
    return lint.profile.rules.empty() &&
           std::any_of(faults.begin(), faults.end(),
                       [&](const Fault& fault) { return has_no_default(lint, fault); }) &&
           std::none_of(faults.begin(), faults.end(),
                        [](const Fault& fault) { return fault.kind == Fault::Kind::malformed; }) &&
           std::none_of(unknown.begin(), unknown.end(), [](const auto& member) {
               return is_key_to_go(member.first, "defaultAction") || is_key_to_go(member.first, "syscalls");
           });
}

std::string taken_for_none_by(const Lint& lint) {
    // Measured with podman 4.3.1 and runc 1.1.5, and in the sources of moby (setupSeccomp), containers/common
    // (setupSeccomp) and runc (specconv, SetupSeccomp). crun 1.8.1 asks for a defaultAction, the operator's
    // schema as well.
    if (!says_nothing(lint)) return {};
    return lint.chosen({Consumer::docker, Consumer::podman, Consumer::runc, Consumer::containerd});
}

void checks::switched_off(Lint& lint) {
    const std::string who = taken_for_none_by(lint);
    if (who.empty()) return;
    const Meant meant = meant_by(lint);
    lint.report(Severity::error, meant.path,
                "the file has neither a defaultAction nor syscalls, which counts as no profile at all: "
                "containers start unconfined with " +
                    who + (lint.chosen({Consumer::crun}).empty() ? "" : " (crun refuses the file)") +
                    (meant.what.empty() ? "" : "; " + meant.what),
                meant.fix);
}

}  // namespace callcensus
