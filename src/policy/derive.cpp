#include "callcensus/derive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>

#include "policy/runtime_calls.hpp"

namespace callcensus {
namespace {

// Ending, returning from a signal handler and going on after a stop: no program leaves without them, and a
// recorder may not see them (restart_syscall appears only after a stop that did not happen while recording; a
// program that got no signal now may get one later). Those that an ABI does not have are left out.
constexpr std::array<std::string_view, 5> unseen_calls{"exit", "exit_group", "restart_syscall",
                                                       "rt_sigreturn", "sigreturn"};

// Answered from the vDSO without entering the kernel, or not, depending on the machine's clock source, kernel
// and libc. vdso(7), the tables of the architectures; getrandom from Linux 6.11 on.
constexpr std::array<std::string_view, 9> vdso_calls{
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "getcpu", "getrandom",
    "gettimeofday", "riscv_hwprobe",       "time"};

// Profiles name calls, and a name counts on every architecture of the profile.
bool exists_on_any(const std::set<Abi>& abis, std::string_view name) {
    return std::any_of(abis.begin(), abis.end(),
                       [&](Abi abi) { return syscall_number(abi, name).has_value(); });
}

bool denial_kills(Action action) {
    return action == Action::kill || action == Action::kill_process || action == Action::kill_thread ||
           action == Action::trap;
}

// Appends rules whose names no rule speaks of yet: what a baseline blocks stays blocked, and no call is
// allowed twice.
class RuleWriter {
  public:
    explicit RuleWriter(Profile& profile) : profile_(profile) {
        for (const Rule& rule : profile.rules) {
            taken_.insert(rule.names.begin(), rule.names.end());
            if (!rule.name.empty()) taken_.insert(rule.name);
        }
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

// The programs, not their arguments: those may hold secrets, and a profile is published.
std::string observed_comment(std::span<const Recording> recordings) {
    std::set<std::string> programs;
    for (const Recording& recording : recordings)
        if (!recording.command.empty())
            programs.insert(std::filesystem::path(recording.command.front()).filename().string());
    std::string list;
    for (const std::string& program : programs) list += (list.empty() ? "" : ", ") + program;
    return "observed while tracing " + (list.empty() ? std::string("a program") : list);
}

std::string runtime_comment(const DeriveOptions& options) {
    const std::string who = options.runtime == RuntimeSet::runc   ? "runc"
                            : options.runtime == RuntimeSet::crun ? "crun"
                                                                  : "container runtimes (runc, crun)";
    return who + ": needed between loading this filter and executing the command" +
           (options.container_exec ? ", and for exec into the running container" : "");
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
    // Beside an archMap `architectures` would be refused. A process reaches other ABIs from its machine's
    // native one (the first of its kind in the table), so that is where a missing one belongs.
    const std::string native(info(*abis.begin()).token);
    for (const Abi abi : abis) {
        const std::string token(info(abi).token);
        const bool covered = std::any_of(
            profile.arch_map.begin(), profile.arch_map.end(), [&](const ArchitectureFamily& family) {
                const auto& subs = family.sub_architectures;
                return family.architecture == token ||
                       (family.architecture == native &&
                        std::find(subs.begin(), subs.end(), token) != subs.end());
            });
        if (covered) continue;
        const auto family =
            std::find_if(profile.arch_map.begin(), profile.arch_map.end(),
                         [&](const ArchitectureFamily& row) { return row.architecture == native; });
        if (family == profile.arch_map.end() || token == native)
            profile.arch_map.push_back({token, {}});
        else
            family->sub_architectures.push_back(token);
    }
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
    return options;
}

Derivation derive(std::span<const Recording> recordings, const DeriveOptions& options) {
    Derivation derived;
    Profile& profile = derived.profile;
    if (options.baseline) profile = *options.baseline;
    settle_default(profile, options, derived.warnings);

    std::set<Abi> abis;
    std::set<std::string> observed;
    std::map<Syscall, UnnamedCall> unnamed;
    for (const Recording& recording : recordings)
        for (const CallRecord& record : recording.calls) {
            abis.insert(record.call.abi);
            const std::string name = syscall_name(record.call);
            if (!name.empty()) {
                observed.insert(name);
                continue;
            }
            const auto denied = record.returned.find(ENOSYS);
            UnnamedCall& call =
                unnamed.try_emplace(record.call, UnnamedCall{record.call, 0, false}).first->second;
            call.count += record.count;
            call.exists = call.exists || denied == record.returned.end() || denied->second != record.count;
        }
    if (abis.empty()) abis.insert(native_abi());
    for (const auto& [syscall, call] : unnamed) derived.unnamed.push_back(call);
    unite_architectures(profile, abis);

    RuleWriter rules(profile);
    rules.allow(observed, observed_comment(recordings));
    derived.observed = observed.size();
    if (options.runtime != RuntimeSet::none)
        rules.allow(
            runtime_calls(options.runtime, options.container_exec, denial_kills(profile.default_action)),
            runtime_comment(options));
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
