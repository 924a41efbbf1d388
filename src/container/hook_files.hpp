// The files that a hook leaves behind: the profile and, where it is wanted, the recording. Several containers
// may write to the same ones at once, and a container that is started again finds those of its earlier run:
// both are extended. Unless a stranger asks: his containers make new files only (p.json or, where that is
// there, p.2.json), since a profile that is there is somebody else's, and allows more when it is extended.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "callcensus/derive.hpp"
#include "callcensus/format.hpp"
#include "callcensus/result.hpp"
#include "container/hook_place.hpp"
#include "container/hook_request.hpp"

namespace callcensus {

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

    /// May be called again with more of the same run. The errors of all files, one line each. Waits so long
    /// for others who write to the same files; what cannot be locked by then is written beside, and notes()
    /// say so. Without any wait it is an error.
    [[nodiscard]] std::vector<Error> write(const Recording& recording, std::chrono::milliseconds wait);

    /// What the format could not say of the profile that was written last.
    [[nodiscard]] const std::vector<std::string>& losses() const { return losses_; }
    /// What went otherwise than it was asked for, the last time; not what had been said before.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  private:
    // The new file that this run has made for a path that was not ours to write to.
    struct Beside {
        std::string name, text;
    };
    using Deadline = std::chrono::steady_clock::time_point;

    explicit HookFiles(const HookRequest& request) : request_(request) {}
    [[nodiscard]] bool is_strangers() const { return request_.limits.asker == Asker::stranger; }
    [[nodiscard]] Result<void> read_baseline();
    [[nodiscard]] Result<void> check_file(const std::string& path) const;
    [[nodiscard]] Result<void> check_recording() const;
    [[nodiscard]] Result<void> check_format() const;
    [[nodiscard]] Profile grown_by(const Recording& recording) const;
    Result<void> write_profile(const Recording& recording, Deadline deadline);
    Result<void> extend_profile(const Recording& recording, Deadline deadline, const HookPlace& place);
    Result<void> add_recording(const Recording& recording, Deadline deadline);
    Result<void> extend_recording(const Recording& recording, Deadline deadline, const HookPlace& place);
    Result<void> write_locked_out(const HookPlace& place, const std::string& content, Deadline deadline,
                                  Beside& beside);
    Result<void> write_new(const HookPlace& place, const std::string& content, int first, Beside& beside);

    HookRequest request_;
    std::optional<Profile> baseline_;
    ExistingProfile before_;         // this run
    std::string written_text_;       // of the profile, by this run
    std::string written_recording_;  // as it is in the file
    Beside profile_beside_, recording_beside_;
    std::vector<std::string> losses_, notes_;
};

}  // namespace callcensus
