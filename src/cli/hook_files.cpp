#include "cli/hook_files.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "callcensus/merge.hpp"
#include "cli/policy_options.hpp"
#include "format/formats.hpp"

namespace callcensus::cli {
namespace {

// Held while a file is read, extended and replaced. The lock is on its directory, not on the file: that is
// replaced, so that whoever waited would hold the lock of a file that nobody sees any more. A file for the
// lock alone would have to stay for ever. flock(2) ends with its process, however that ends.
class DirectoryLock {
  public:
    static Result<DirectoryLock> of(const std::string& path) {
        const std::string directory = std::filesystem::path(behind_links(path)).parent_path().string();
        DirectoryLock lock;
        lock.fd_ = UniqueFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!lock.fd_) return fail("its directory cannot be opened", path, errno);
        while (::flock(lock.fd_.get(), LOCK_EX) != 0)
            if (errno != EINTR) return fail("its directory cannot be locked", path, errno);
        return lock;
    }

  private:
    UniqueFd fd_;
};

std::string format_of(const std::string& text) {
    return looks_like_yaml(text) ? "spo" : looks_like_minijail(text) ? "minijail" : "oci";
}

// Nothing where there is no file, or an empty one as mktemp(1) makes it.
Result<std::string> read_if_there(const std::string& path, std::size_t limit) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) return std::string();
    return read_file(path, limit);
}

Result<ExistingProfile> read_existing(const std::string& text, const HookRequest& request) {
    if (request.replace_existing || text.empty()) return ExistingProfile{};
    auto profile = read_profile(text, request.output);
    if (!profile) return tl::unexpected(profile.error());
    return ExistingProfile{std::move(*profile), format_of(text)};
}

Result<void> check_file(const std::string& path) {
    if (!is_regular_or_new(path)) return fail("is no file: the profile of a container needs one", path);
    return check_replaceable(path);
}

Result<Written> written_as(const std::string& format, const Profile& profile, const HookRequest& request) {
    WriteContext context;
    context.name = std::filesystem::path(request.output).stem().string();
    return write_as(*find_format(format.empty() ? "oci" : format), profile, context);
}

}  // namespace

Profile as_baseline(Profile profile) {
    if (profile.default_action == Action::errno_) return profile;
    profile.default_action = Action::errno_;
    profile.default_errno_ret.reset();
    profile.default_errno_name.clear();
    return profile;
}

std::optional<Profile> grown_from(std::optional<Profile> existing, const std::optional<Profile>& baseline) {
    if (!existing) return baseline;
    if (!baseline) return existing;
    const std::vector<Rule> present = existing->rules;
    const auto is_named = [&](const std::string& name) {
        return std::any_of(present.begin(), present.end(),
                           [&](const Rule& rule) { return rule.speaks_of(name); });
    };
    for (Rule rule : baseline->rules) {
        std::erase_if(rule.names, is_named);
        if (!rule.name.empty() && is_named(rule.name)) rule.name.clear();
        if (!rule.names.empty() || !rule.name.empty()) existing->rules.push_back(std::move(rule));
    }
    return existing;
}

Profile profile_of_container(const Recording& recording, std::optional<Profile> grown_from,
                             RuntimeSet runtime) {
    DeriveOptions options;
    options.runtime = runtime;
    options.baseline = std::move(grown_from);
    Profile profile = derive({&recording, 1}, options).profile;
    const std::string native(info(native_abi()).token);
    if (!profile.arch_map.empty())
        add_to_families(profile.arch_map, native_abi());
    else if (std::find(profile.architectures.begin(), profile.architectures.end(), native) ==
             profile.architectures.end())
        profile.architectures.push_back(native);
    return profile;
}

std::vector<Recording> with_recording(std::vector<Recording> file, const std::string& earlier,
                                      const Recording& now) {
    std::erase_if(file, [&](const Recording& other) { return write_recording(other) == earlier; });
    return merge({std::move(file), {now}}, MergeKind::unite);
}

Result<HookFiles> HookFiles::prepare(const HookRequest& request) {
    HookFiles files(request);
    if (!request.baseline.empty()) {
        const auto text = read_file(request.baseline, largest_profile);
        if (!text) return fail("invalid annotation: error reading input file: " + text.error().text());
        const auto profile = read_profile(*text, request.baseline);
        if (!profile) return fail("invalid annotation: error parsing input file: " + profile.error().text());
        files.baseline_ = as_baseline(*profile);
    }
    if (auto possible = check_file(request.output); !possible) return tl::unexpected(possible.error());
    if (auto possible = files.check_format(); !possible) return tl::unexpected(possible.error());
    if (auto possible = files.check_recording(); !possible) return tl::unexpected(possible.error());
    return files;
}

// Formats without a default errno, or without comments, lose that every time. What counts is that they can
// say what is there already.
Result<void> HookFiles::check_format() const {
    const auto text = read_if_there(request_.output, largest_profile);
    if (!text) return tl::unexpected(text.error());
    const auto existing = read_existing(*text, request_);
    if (!existing) {
        Error error = existing.error();
        error.message += " (it would be extended; io.callcensus.options=existing:replace writes it anew)";
        return tl::unexpected(error);
    }
    const std::string format = request_.format.empty() ? existing->format : request_.format;
    const auto base = grown_from(existing->profile, baseline_);
    if (!base) return {};
    const auto plain = written_as(format, profile_of_container({}, std::nullopt, RuntimeSet::none), request_);
    const auto extended = written_as(format, profile_of_container({}, base, RuntimeSet::none), request_);
    if (!extended) return tl::unexpected(extended.error());
    for (const std::string& loss : extended->losses)
        if (!plain || std::find(plain->losses.begin(), plain->losses.end(), loss) == plain->losses.end())
            return fail("cannot be extended as " + format + ", which lacks " + loss,
                        existing->profile ? request_.output : request_.baseline);
    return {};
}

Result<void> HookFiles::check_recording() const {
    if (request_.recording.empty()) return {};
    if (are_same_file(request_.recording, request_.output))
        return fail("is named as the recording and as the profile", request_.output);
    if (auto possible = check_file(request_.recording); !possible) return possible;
    if (request_.replace_existing) return {};
    const auto text = read_if_there(request_.recording, largest_recording);
    if (!text) return tl::unexpected(text.error());
    if (text->empty()) return {};
    const auto recordings = parse_recordings(*text, request_.recording);
    return recordings ? Result<void>() : tl::unexpected(recordings.error());
}

std::vector<Error> HookFiles::write(const Recording& recording) {
    std::vector<Error> errors;
    if (auto done = write_profile(recording); !done) errors.push_back(done.error());
    if (request_.recording.empty()) return errors;
    if (auto done = add_recording(recording); !done) errors.push_back(done.error());
    return errors;
}

Result<void> HookFiles::write_profile(const Recording& recording) {
    const auto lock = DirectoryLock::of(request_.output);
    if (!lock) return tl::unexpected(lock.error());
    const auto text = read_if_there(request_.output, largest_profile);
    if (!text) return tl::unexpected(text.error());
    // What only this run has written since is written anew from where the run began: else each time would
    // leave a rule of its own.
    if (written_text_.empty() || *text != written_text_) {
        auto existing = read_existing(*text, request_);
        if (!existing) return tl::unexpected(existing.error());
        before_ = std::move(*existing);
    }
    const Profile profile =
        profile_of_container(recording, grown_from(before_.profile, baseline_), request_.runtime);
    const std::string format = request_.format.empty() ? before_.format : request_.format;
    if (before_.profile && profile == *before_.profile && format == before_.format) return {};  // nothing new
    const auto written = written_as(format, profile, request_);
    if (!written) return tl::unexpected(written.error());
    losses_ = written->losses;
    if (written->content == *text) return {};
    auto done = replace_file(request_.output, written->content);
    if (done) written_text_ = written->content;
    return done;
}

Result<void> HookFiles::add_recording(const Recording& recording) {
    const auto lock = DirectoryLock::of(request_.recording);
    if (!lock) return tl::unexpected(lock.error());
    std::vector<Recording> recordings;
    if (!request_.replace_existing) {
        const auto text = read_if_there(request_.recording, largest_recording);
        if (!text) return tl::unexpected(text.error());
        if (!text->empty()) {
            auto in_file = parse_recordings(*text, request_.recording);
            if (!in_file) return tl::unexpected(in_file.error());
            recordings = std::move(*in_file);
        }
    }
    const std::string content =
        write_recordings(with_recording(std::move(recordings), written_recording_, recording));
    auto done = replace_file(request_.recording, content);
    if (done) written_recording_ = write_recording(recording);
    return done;
}

}  // namespace callcensus::cli
