// Whose words the annotations of a container are. docs/containers.md, "Who may ask for what", has the rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "callcensus/result.hpp"
#include "container/hook_request.hpp"
#include "format/runtime_spec.hpp"

namespace callcensus {

/// Whose requests are an owner's. Only whoever registers the hook or the runtime says so.
enum class Trust : std::uint8_t {
    nobody,
    caller,       ///< whoever starts the container on a command line: annotations, but of no pod and no image
    annotations,  ///< all of them
    everybody     ///< also the container's environment
};
[[nodiscard]] Result<Trust> read_trust(std::string_view word);

/// What whoever registers the hook or the runtime says.
struct Registration {
    Trust trust = Trust::caller;
    std::string directory{default_directory};  ///< of strangers' files; absolute
};

/// Where a request comes from.
struct Origin {
    bool from_environment = false;        ///< a part of it is; which may have come with an image
    std::optional<Annotations> of_image;  ///< empty where nobody knows
};

/// The asker is the least trusted one of those who said a part of the request.
[[nodiscard]] Asker asker_of(Trust trust, const Annotations& annotations, const Origin& origin);

/// The same with what follows from it, of the container in that bundle.
[[nodiscard]] Limits limits_of(const Registration& registration, const Annotations& annotations,
                               const std::string& bundle, bool from_environment);

/// The annotations of the container's image, which podman adds to those of its command line (seen in 4.3.1):
/// from the image's manifest in podman's storage (containers/storage: *-containers/containers.json,
/// *-images/ID/manifest). None where the bundle is not in such a storage, as that of runc alone; empty where
/// it is and does not tell.
[[nodiscard]] std::optional<Annotations> annotations_of_image(const std::string& bundle);

}  // namespace callcensus
