#include "callcensus/derive.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "base/words.hpp"
#include "callcensus/families.hpp"
#include "meaning/runtime_calls.hpp"
#include "meaning/unseen_calls.hpp"

namespace callcensus {
namespace {

// Appends rules whose names no rule speaks of yet: what a baseline blocks stays blocked, and no call is
// allowed twice.
class RuleWriter {
  public:
    explicit RuleWriter(Profile& profile) : profile_(profile) {
        for (const Rule& rule : profile.rules)
            for (std::string& name : names_of(rule)) taken_.insert(std::move(name));
    }

    /// How many names the rule got; there is no rule without names.
    template <class Names>
    std::size_t allow(const Names& names, std::string comment) {
        Rule rule;
        rule.comment = std::move(comment);
        for (const auto& name : names)
            if (taken_.emplace(name).second) rule.names.emplace_back(name);
        std::sort(rule.names.begin(), rule.names.end());
        const std::size_t count = rule.names.size();
        if (count != 0) profile_.rules.push_back(std::move(rule));
        return count;
    }

  private:
    Profile& profile_;
    std::set<std::string, std::less<>> taken_;
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool matches(const std::string& executable, const std::string& glob) {
    const std::string subject = glob.find('/') == std::string::npos ? last_part(executable) : executable;
    return ::fnmatch(glob.c_str(), subject.c_str(), 0) == 0;
}

bool selects_all(const DeriveOptions& options) { return options.only.empty() && options.exclude.empty(); }

// What the selected executables have of a recording.
std::vector<CallRecord> selected_calls(const Recording& recording, const DeriveOptions& options) {
    if (selects_all(options)) return recording.calls;
    std::vector<bool> selected;
    for (const std::string& executable : recording.executables)
        selected.push_back(selects(options, executable));
    std::vector<CallRecord> calls;
    std::copy_if(recording.calls.begin(), recording.calls.end(), std::back_inserter(calls),
                 [&](const CallRecord& record) {
                     return std::any_of(record.by_executable.begin(), record.by_executable.end(),
                                        [&](const auto& share) { return selected[share.first]; });
                 });
    return calls;
}

// The programs, not their arguments: those may hold secrets, and a profile is published.
std::string observed_comment(std::span<const Recording> recordings, const DeriveOptions& options) {
    std::set<std::string> commands;
    std::set<std::string> executables;
    for (const Recording& recording : recordings) {
        if (!recording.command.empty()) commands.insert(last_part(recording.command.front()));
        for (const std::string& executable : recording.executables)
            if (selects(options, executable)) executables.insert(last_part(executable));
    }
    if (commands.empty()) commands.insert("a program");
    if (executables.empty()) executables.insert("nothing");
    const std::string whose = selects_all(options) ? "" : " in " + listed(executables);
    return "observed" + whose + " while tracing " + listed(commands);
}

std::string family_comment(const Siblings& row) {
    return "same job as " + listed(row.of) + ": " + std::string(row.reason);
}

std::string runtime_comment(const DeriveOptions& options) {
    const std::string who = options.runtime == RuntimeSet::runc   ? "runc"
                            : options.runtime == RuntimeSet::crun ? "crun"
                                                                  : "container runtimes (runc, crun)";
    return who + ": needed between loading this filter and executing the command" +
           (options.container_exec ? ", and for exec into the running container" : "") +
           (options.no_new_privileges ? "; enough only with no_new_privileges" : "");
}

void unite_architectures(Profile& profile, const std::set<Abi>& abis) {
    if (profile.arch_map.empty()) {
        // An empty list would mean the native one only; the list says so itself, for all machines alike.
        for (const Abi abi : abis) {
            const std::string token(info(abi).token);
            if (std::find(profile.architectures.begin(), profile.architectures.end(), token) ==
                profile.architectures.end())
                profile.architectures.push_back(token);
        }
        return;
    }
    // Beside an archMap `architectures` would be refused.
    for (const Abi abi : abis) add_to_families(profile.arch_map, abi);
}

void settle_default(Profile& profile, const DeriveOptions& options, std::vector<std::string>& warnings) {
    if (options.baseline && lets_through(profile.default_action) && !options.default_action) {
        warnings.push_back("the baseline allows by default (" + std::string(token(profile.default_action)) +
                           "); the profile denies by default instead");
        profile.default_action = Action::errno_;
        profile.default_errno_ret.reset();
        profile.default_errno_name.clear();
    }
    if (options.default_action) {
        profile.default_action = *options.default_action;
        profile.default_errno_ret.reset();
        profile.default_errno_name.clear();
    }
    if (options.default_errno) {
        profile.default_errno_ret = *options.default_errno;
        profile.default_errno_name.clear();
    }
    // ENOSYS, so that a libc falls back to an older call instead of failing (clone3 to clone, faccessat2 to
    // faccessat).
    const bool from_baseline = options.baseline && profile.default_action == options.baseline->default_action;
    if (profile.default_action == Action::errno_ && !profile.default_errno_ret && !from_baseline)
        profile.default_errno_ret = ENOSYS;
}

}  // namespace

DeriveOptions DeriveOptions::observed_only() {
    DeriveOptions options;
    options.runtime = RuntimeSet::none;
    options.unseen = false;
    options.vdso = false;
    options.assumed = false;
    return options;
}

bool selects(const DeriveOptions& options, const std::string& executable) {
    const auto matching = [&](const std::string& glob) { return matches(executable, glob); };
    return (options.only.empty() || std::any_of(options.only.begin(), options.only.end(), matching)) &&
           std::none_of(options.exclude.begin(), options.exclude.end(), matching);
}

Result<void> check_derivable(std::span<const Recording> recordings, const DeriveOptions& options,
                             bool one_for_each_executable) {
    if (selects_all(options) && !one_for_each_executable) return {};
    for (const Recording& recording : recordings)
        if (recording.scope() == Scope::tree)
            return fail(
                "tells only what the whole tree has called, not which executable: record with --only, "
                "--exclude, --split or --engine ptrace");
    return {};
}

std::map<std::string, std::string> executables_of(std::span<const Recording> recordings) {
    std::map<std::string, std::string> globs;
    for (const Recording& recording : recordings)
        for (const CallRecord& record : recording.calls)
            for (const auto& [index, count] : record.by_executable) {
                const std::string& executable = recording.executables[index];
                std::string& glob = globs[executable];
                if (!glob.empty()) continue;
                for (const char letter : executable) {
                    if (std::string_view("*?[\\").find(letter) != std::string_view::npos) glob += '\\';
                    glob += letter;
                }
            }
    return globs;
}

Derivation derive(std::span<const Recording> recordings, const DeriveOptions& options) {
    Derivation derived;
    Profile& profile = derived.profile;
    if (options.baseline) profile = *options.baseline;
    settle_default(profile, options, derived.warnings);

    std::set<Abi> abis;
    std::set<std::string> observed;
    std::map<Syscall, UnnamedCall> unnamed;
    std::set<std::string> assumed;
    for (const Recording& recording : recordings) {
        for (const CallRecord& record : selected_calls(recording, options)) {
            abis.insert(record.call.abi);
            const std::string name = syscall_name(record.call);
            if (!name.empty()) {
                observed.insert(name);
                continue;
            }
            UnnamedCall& call =
                unnamed.try_emplace(record.call, UnnamedCall{record.call, 0, false}).first->second;
            call.count += record.count;
            // Not every result need be recorded, but those that are speak for the others.
            const bool always_denied = record.returned.size() == 1 && record.returned.count(ENOSYS) != 0;
            call.exists = call.exists || !always_denied;
        }
        if (!options.assumed) continue;
        for (const Syscall call : recording.assumed)
            if (const std::string name = syscall_name(call); !name.empty()) {
                assumed.insert(name);
                abis.insert(call.abi);
            }
    }
    if (!selects_all(options) && observed.empty())
        derived.warnings.emplace_back(
            "no executable that was recorded is selected: nothing observed is in the profile");
    if (abis.empty()) abis.insert(native_abi());
    for (const auto& [syscall, call] : unnamed) derived.unnamed.push_back(call);
    unite_architectures(profile, abis);

    RuleWriter rules(profile);
    rules.allow(observed, observed_comment(recordings, options));
    derived.observed = observed.size();
    rules.allow(assumed, "known from an earlier recording or profile, and not looked for again");
    if (options.families) {
        std::set<std::string> wanted = observed;
        wanted.insert(assumed.begin(), assumed.end());
        for (const Siblings& row : siblings(wanted, abis)) rules.allow(row.names, family_comment(row));
    }
    if (options.runtime != RuntimeSet::none)
        rules.allow(runtime_calls(options.runtime, {.exec = options.container_exec,
                                                    .no_new_privileges = options.no_new_privileges,
                                                    .denial_kills = denial_kills(profile.default_action)}),
                    runtime_comment(options));
    // Those that an ABI does not have are left out.
    const auto only_existing = [&](auto names) {
        std::vector<std::string_view> existing;
        std::copy_if(names.begin(), names.end(), std::back_inserter(existing),
                     [&](std::string_view name) { return exists_on_any(abis, name); });
        return existing;
    };
    if (options.unseen)
        rules.allow(
            only_existing(unseen_calls),
            "made unseen by the kernel and libc: ending, returning from signal handlers, restarting calls");
    if (options.vdso)
        rules.allow(only_existing(vdso_calls),
                    "answered by the vDSO without a system call here, by the kernel on another machine");

    for (const std::string& name : observed)
        if (const std::string_view release = libseccomp_needed_for(name); !release.empty())
            derived.warnings.push_back(
                name + " is newer than libseccomp here: a runtime allows it only with libseccomp " +
                std::string(release) + " or later");
    return derived;
}

}  // namespace callcensus
