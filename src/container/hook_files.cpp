#include "container/hook_files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.hpp"
#include "callcensus/merge.hpp"
#include "container/directory_lock.hpp"
#include "format/limits.hpp"

namespace callcensus {
namespace {

// Nothing where there is no file, or an empty one as mktemp(1) makes it.
Result<std::string> read_if_there(const HookPlace& place, std::size_t limit) {
    auto text = place.read(limit, Accept::not_planted);
    if (!text) return tl::unexpected(text.error());
    return std::move(*text).value_or("");
}
Result<std::string> read_if_there(const std::string& path, const Limits& limits, std::size_t limit) {
    const auto place = HookPlace::of(path, limits);
    if (!place) return tl::unexpected(place.error());
    return read_if_there(*place, limit);
}

Result<ExistingProfile> read_existing(const std::string& text, const HookRequest& request) {
    if (request.replace_existing || text.empty()) return ExistingProfile{};
    auto profile = read_profile(text, request.output);
    if (!profile) return tl::unexpected(profile.error());
    return ExistingProfile{std::move(*profile), std::string(callcensus::format_of(text).id)};
}

Result<Written> written_as(const std::string& format, const Profile& profile, const HookRequest& request) {
    WriteContext context;
    context.name = std::filesystem::path(request.output).stem().string();
    return write_as(*find_format(format.empty() ? default_format : format), profile, context);
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
    if (auto read = files.read_baseline(); !read) return fail("invalid annotation: " + read.error().text());
    if (auto possible = files.check_file(request.output); !possible) return tl::unexpected(possible.error());
    if (auto possible = files.check_format(); !possible) return tl::unexpected(possible.error());
    if (auto possible = files.check_recording(); !possible) return tl::unexpected(possible.error());
    return files;
}

Result<void> HookFiles::read_baseline() {
    if (request_.baseline.empty()) return {};
    const auto unreadable = [](const Error& error) {
        return fail("error reading input file: " + error.text());
    };
    const auto place = HookPlace::of(request_.baseline, request_.limits);
    if (!place) return unreadable(place.error());
    const auto text = place->read(largest_profile, Accept::any);
    if (!text) return unreadable(text.error());
    if (!*text) return unreadable({"cannot be opened", request_.baseline, ENOENT});
    const auto profile = read_profile(**text, request_.baseline);
    // What is wrong with it tells what is in it.
    if (!profile && is_strangers()) return fail("error parsing input file: is no profile", request_.baseline);
    if (!profile) return fail("error parsing input file: " + profile.error().text());
    baseline_ = as_baseline(*profile);
    return {};
}

Result<void> HookFiles::check_file(const std::string& path) const {
    if (is_strangers()) {
        const auto place = HookPlace::of(path, request_.limits);
        return place ? Result<void>() : tl::unexpected(place.error());
    }
    if (!is_regular_or_new(path)) return fail("is no file: the profile of a container needs one", path);
    return check_replaceable(path);
}

// Formats without a default errno, or without comments, lose that every time. What counts is that they can
// say what is there already.
Result<void> HookFiles::check_format() const {
    ExistingProfile present;
    if (!is_strangers()) {
        const auto text = read_if_there(request_.output, request_.limits, largest_profile);
        if (!text) return tl::unexpected(text.error());
        auto existing = read_existing(*text, request_);
        if (!existing) {
            Error error = existing.error();
            error.message += " (it would be extended; io.callcensus.options=existing:replace writes it anew)";
            return tl::unexpected(error);
        }
        present = std::move(*existing);
    }
    const std::string format = request_.format.empty() ? present.format : request_.format;
    const auto base = grown_from(present.profile, baseline_);
    if (!base) return {};
    const auto plain = written_as(format, profile_of_container({}, std::nullopt, RuntimeSet::none), request_);
    const auto extended = written_as(format, profile_of_container({}, base, RuntimeSet::none), request_);
    if (!extended && is_strangers()) return fail("cannot be said as " + format, request_.baseline);
    if (!extended) return tl::unexpected(extended.error());
    for (const std::string& loss : extended->losses)
        if (!plain || std::find(plain->losses.begin(), plain->losses.end(), loss) == plain->losses.end())
            return fail("cannot be extended as " + format + (is_strangers() ? "" : ", which lacks " + loss),
                        present.profile ? request_.output : request_.baseline);
    return {};
}

Result<void> HookFiles::check_recording() const {
    if (request_.recording.empty()) return {};
    if (are_same_file(request_.recording, request_.output))
        return fail("is named as the recording and as the profile", request_.output);
    if (auto possible = check_file(request_.recording); !possible) return possible;
    if (request_.replace_existing || is_strangers()) return {};
    const auto text = read_if_there(request_.recording, request_.limits, largest_recording);
    if (!text) return tl::unexpected(text.error());
    if (text->empty()) return {};
    const auto recordings = parse_recordings(*text, request_.recording);
    return recordings ? Result<void>() : tl::unexpected(recordings.error());
}

std::vector<Error> HookFiles::write(const Recording& recording, std::chrono::milliseconds wait) {
    const Deadline deadline = wait == wait.zero() ? Deadline::min() : DirectoryLock::Clock::now() + wait;
    notes_.clear();
    std::vector<Error> errors;
    if (auto done = write_profile(recording, deadline); !done) errors.push_back(done.error());
    if (request_.recording.empty()) return errors;
    if (auto done = add_recording(recording, deadline); !done) errors.push_back(done.error());
    return errors;
}

Profile HookFiles::grown_by(const Recording& recording) const {
    return profile_of_container(recording, grown_from(before_.profile, baseline_), request_.runtime);
}

Result<void> HookFiles::write_profile(const Recording& recording, Deadline deadline) {
    const auto place = HookPlace::of(request_.output, request_.limits);
    if (!place) return tl::unexpected(place.error());
    if (!is_strangers()) return extend_profile(recording, deadline, *place);
    const auto written = written_as(request_.format, grown_by(recording), request_);
    if (!written) return tl::unexpected(written.error());
    losses_ = written->losses;
    return write_new(*place, written->content, 1, profile_beside_);
}

Result<void> HookFiles::extend_profile(const Recording& recording, Deadline deadline,
                                       const HookPlace& place) {
    const auto lock = DirectoryLock::of(place.directory.get(), deadline, request_.output);
    if (!lock) return tl::unexpected(lock.error());
    const auto text = read_if_there(place, largest_profile);
    if (!text) return tl::unexpected(text.error());
    // What only this run has written since is written anew from where the run began: else each time would
    // leave a rule of its own.
    if (written_text_.empty() || *text != written_text_) {
        auto existing = read_existing(*text, request_);
        if (!existing) return tl::unexpected(existing.error());
        before_ = std::move(*existing);
    }
    const Profile profile = grown_by(recording);
    const std::string format = request_.format.empty() ? before_.format : request_.format;
    if (before_.profile && profile == *before_.profile && format == before_.format) return {};  // nothing new
    const auto written = written_as(format, profile, request_);
    if (!written) return tl::unexpected(written.error());
    losses_ = written->losses;
    if (written->content == *text) return {};
    if (!*lock) return write_locked_out(place, written->content, deadline, profile_beside_);
    auto done = replace_entry(place.directory.get(), place.name, written->content, place.path);
    if (done) written_text_ = written->content;
    return done;
}

Result<void> HookFiles::add_recording(const Recording& recording, Deadline deadline) {
    const auto place = HookPlace::of(request_.recording, request_.limits);
    if (!place) return tl::unexpected(place.error());
    if (!is_strangers()) return extend_recording(recording, deadline, *place);
    return write_new(*place, write_recording(recording), 1, recording_beside_);
}

Result<void> HookFiles::extend_recording(const Recording& recording, Deadline deadline,
                                         const HookPlace& place) {
    const auto lock = DirectoryLock::of(place.directory.get(), deadline, request_.recording);
    if (!lock) return tl::unexpected(lock.error());
    if (!*lock) return write_locked_out(place, write_recording(recording), deadline, recording_beside_);
    std::vector<Recording> recordings;
    if (!request_.replace_existing) {
        const auto text = read_if_there(place, largest_recording);
        if (!text) return tl::unexpected(text.error());
        if (!text->empty()) {
            auto in_file = parse_recordings(*text, request_.recording);
            if (!in_file) return tl::unexpected(in_file.error());
            recordings = std::move(*in_file);
        }
    }
    const std::string content =
        write_recordings(with_recording(std::move(recordings), written_recording_, recording));
    auto done = replace_entry(place.directory.get(), place.name, content, place.path);
    if (done) written_recording_ = write_recording(recording);
    return done;
}

Result<void> HookFiles::write_locked_out(const HookPlace& place, const std::string& content,
                                         Deadline deadline, Beside& beside) {
    if (deadline == Deadline::min()) return fail("is locked by another process: left for later", place.path);
    return write_new(place, content, 2, beside);
}

Result<void> HookFiles::write_new(const HookPlace& place, const std::string& content, int first,
                                  Beside& beside) {
    constexpr int last = 99;
    const int directory = place.directory.get();
    const auto has = [&](const std::string& name, const std::string& text) {
        const auto present = read_entry(directory, name, text.size(), Accept::sole, place.path);
        return present && *present && **present == text;
    };
    // Of this run, and as it was left.
    if (!beside.name.empty() && has(beside.name, beside.text)) {
        if (content == beside.text) return {};
        auto done = replace_entry(directory, beside.name, content, place.path);
        if (done) beside.text = content;
        return done;
    }
    for (int number = first; number <= last; ++number) {
        const std::string name = number == 1 ? place.name : place.name_beside(number);
        const auto made = create_file(directory, name, content, mode_for_a_new_file(), place.path);
        if (!made) return tl::unexpected(made.error());
        if (!*made && has(name, content)) return {};  // another run has said the same
        if (!*made) continue;
        beside = {name, content};
        if (number > 1)
            notes_.push_back(place.path +
                             (first == 1 ? " is there already, and no container's to change"
                                         : " was locked by another process for too long") +
                             ": what was to be written there is in " + place.path_of(name));
        return {};
    }
    return fail("is there already, and so are the names beside it: remove some", place.path);
}

}  // namespace callcensus
