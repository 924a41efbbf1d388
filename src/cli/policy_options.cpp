#include "cli/policy_options.hpp"

#include <algorithm>
#include <cctype>

#include "base/errno_names.hpp"
#include "base/file.hpp"
#include "callcensus/format.hpp"
#include "cli/choices.hpp"
#include "cli/inputs.hpp"

namespace callcensus::cli {
namespace {

Result<Action> read_default_action(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    if (text.rfind("SCMP_ACT_", 0) != 0) text.insert(0, "SCMP_ACT_");
    const auto action = find_action(text);
    if (!action) return fail(text + " is no action; known are " + all_action_tokens(), "--default-action");
    if (lets_through(*action))
        return fail("would allow every call that no rule names", "--default-action " + text);
    if (*action == Action::notify)
        return fail("is refused by container runtimes as a default", "--default-action " + text);
    return *action;
}

Result<std::uint32_t> read_errno(const std::string& text) {
    const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                        [](unsigned char c) { return std::isdigit(c); });
    const auto errnum = errno_from_name(is_number ? "E" + text : text);
    if (!errnum)
        return fail("\"" + text + "\" is no errno; it should look like ENOSYS or 38", "--default-errno");
    return static_cast<std::uint32_t>(*errnum);
}

}  // namespace

void PolicyOptions::add_to(CommandLine& command) {
    const std::string group = "What the profile holds";
    command.group(group);
    command.value("--baseline", "FILE", baseline,
                  "Keep the rules of this profile and add only calls that none of them names");
    command.flag("--observed-only", observed_only, "Exactly what was observed, none of the rules below");
    command.choice("--runtime", "NAME", runtime, runtime_choices(),
                   "Allow what this container runtime calls before it executes the command: any "
                   "(default), runc, crun, none");
    command.flag("--no-exec", no_exec,
                 "Leave out what only `podman exec` and `docker exec` need of the runtime");
    command.flag("--no-new-privileges", no_new_privileges,
                 "Leave out what the runtime needs only for a container without no_new_privileges");
    command.flag("--no-unseen", no_unseen,
                 "Leave out calls that happen unseen: exit, rt_sigreturn, restart_syscall, ...");
    command.flag("--no-vdso", no_vdso,
                 "Leave out calls that the vDSO may answer here and the kernel elsewhere");
    command.flag("--no-known", no_known,
                 "Leave out what was known beforehand (`trace --known`) and not seen again");
    command.flag(
        "--families", families,
        "Allow also the calls by which another libc or kernel does the same job: faccessat2 for access, ...");
    command.value("--default-action", "ACTION", default_action,
                  "What happens to other calls (default: the baseline's, or SCMP_ACT_ERRNO)");
    command.value(
        "--default-errno", "NAME", default_errno,
        "With which error (default: the baseline's, or ENOSYS, so that libc falls back to older calls)");
}

void PolicyOptions::add_selection_to(CommandLine& command) {
    const std::string group = "Whose calls count";
    command.group(group);
    command.value("--only", "GLOB", only,
                  "Only those of executables that match, by name or path: 'nginx', '/srv/*'");
    command.value("--exclude", "GLOB", exclude, "Not those of executables that match");
    command.flag("--split", split,
                 "One profile for each executable: seccomp.nginx.json, seccomp.sh.json, ...");
}

Result<void> PolicyOptions::check_output(const std::string& output) const {
    if (split && !is_regular_or_new(output))
        return fail("writes several files, so that -o must name one: seccomp.json becomes seccomp.NAME.json",
                    "--split");
    return {};
}

Result<DeriveOptions> PolicyOptions::resolve() const {
    DeriveOptions options;
    if (observed_only && families)
        return fail("asks for more than was observed: leave out one of the two",
                    "--families --observed-only");
    if (observed_only) {
        options = DeriveOptions::observed_only();
    } else {
        options.runtime = runtime;
        options.container_exec = !no_exec;
        options.no_new_privileges = no_new_privileges;
        options.unseen = !no_unseen;
        options.vdso = !no_vdso;
        options.assumed = !no_known;
        options.families = families;
    }
    options.only = only;
    options.exclude = exclude;
    if (!default_action.empty()) {
        auto action = read_default_action(default_action);
        if (!action) return tl::unexpected(action.error());
        options.default_action = *action;
    }
    if (!default_errno.empty()) {
        auto errnum = read_errno(default_errno);
        if (!errnum) return tl::unexpected(errnum.error());
        options.default_errno = *errnum;
    }
    if (!baseline.empty()) {
        auto profile = read_one_profile(baseline);
        if (!profile) return tl::unexpected(profile.error());
        options.baseline = std::move(*profile);
    }
    const Action effective =
        options.default_action.value_or(options.baseline ? options.baseline->default_action : Action::errno_);
    if (options.default_errno && effective != Action::errno_ && !lets_through(effective))
        return fail("has no effect: denied calls end by " + std::string(token(effective)), "--default-errno");
    return options;
}

}  // namespace callcensus::cli
