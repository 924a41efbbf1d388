// The files that a hook leaves behind: the profile and, where it is wanted, the recording. Several containers
// may write to the same ones at once, and a container that is started again finds those of its earlier run:
// both are extended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "callcensus/result.hpp"
#include "cli/hook_request.hpp"

namespace callcensus::cli {

/// The profile that a container's is grown from: what is there already and then, of the baseline, the rules
/// for calls that it does not name.
[[nodiscard]] std::optional<Profile> grown_from(std::optional<Profile> existing,
                                                const std::optional<Profile>& baseline);

/// As oci-seccomp-bpf-hook takes a baseline: its default becomes ERRNO.
[[nodiscard]] Profile as_baseline(Profile profile);

/// The profile of a container that was recorded. Always covers the native architecture, which the runtime
/// itself needs.
[[nodiscard]] Profile profile_of_container(const Recording& recording, std::optional<Profile> grown_from,
                                           RuntimeSet runtime);

/// `earlier`, as this run has written it, gives way to `now`; recordings of other runs stay.
[[nodiscard]] std::vector<Recording> with_recording(std::vector<Recording> file, const std::string& earlier,
                                                    const Recording& now);

/// What a file of the container's held before.
struct ExistingProfile {
    std::optional<Profile> profile;
    std::string format;
};

class HookFiles {
  public:
    /// Reads the baseline and finds out whether everything can be written: before the container starts.
    [[nodiscard]] static Result<HookFiles> prepare(const HookRequest& request);

    /// May be called again with more of the same run. The errors of all files, one line each.
    [[nodiscard]] std::vector<Error> write(const Recording& recording);

    /// What the format could not say of the profile that was written last.
    [[nodiscard]] const std::vector<std::string>& losses() const { return losses_; }

  private:
    explicit HookFiles(const HookRequest& request) : request_(request) {}
    [[nodiscard]] Result<void> check_recording() const;
    [[nodiscard]] Result<void> check_format() const;
    Result<void> write_profile(const Recording& recording);
    Result<void> add_recording(const Recording& recording);

    HookRequest request_;
    std::optional<Profile> baseline_;
    ExistingProfile before_;         // this run
    std::string written_text_;       // of the profile, by this run
    std::string written_recording_;  // as it is in the file
    std::vector<std::string> losses_;
};

}  // namespace callcensus::cli
