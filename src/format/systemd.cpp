// A drop-in for a systemd unit: SystemCallFilter= and its relatives (systemd.exec(5)).
//
// An allowlist where the profile denies by default, a denylist where it allows. systemd adds the calls of its
// set @default to every allowlist; those that the profile does not allow are taken out again by a line that
// begins with `~`, which deletes from a list that began without one.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "format/flat_profile.hpp"
#include "format/formats.hpp"
#include "format/systemd_sets.hpp"

namespace callcensus {

using namespace flat;

namespace {

// As SystemCallErrorNumber= and the suffix of a denylist's item have it.
std::string error_number(const Decision& decision) {
    if (decision.action != Action::errno_) return "kill";
    return errno_text(decision.value);
}

bool can_say(const Decision& decision) {
    return decision.action == Action::errno_ || decision.action == Action::kill_process;
}

// Lines of a readable length: each further one adds to the list.
void write_filter(std::string& text, std::string_view prefix, const std::vector<std::string>& items) {
    constexpr std::size_t width = 100;
    std::string line;
    const auto end_line = [&] {
        if (!line.empty()) text += fmt::format("SystemCallFilter={}{}\n", prefix, line);
        line.clear();
    };
    for (const std::string& item : items) {
        if (line.size() + item.size() + 20 > width) end_line();
        line += (line.empty() ? "" : " ") + item;
    }
    end_line();
}

void write_allowlist(std::string& text, const std::vector<CallPolicy>& calls, const std::vector<Abi>& abis,
                     Unsaid& unsaid, std::vector<std::string>& losses) {
    std::vector<std::string> allowed;
    for (const CallPolicy& call : calls) {
        if (call.always && lets_through(call.always->action)) {
            allowed.push_back(call.name);
            if (call.always->action == Action::log) unsaid.logged.push_back(call.name);
        } else if (call.always) {
            unsaid.add_denial(call, *call.always);
        } else {
            unsaid.conditional.push_back(call.name);
        }
    }
    const std::set<std::string_view> names(allowed.begin(), allowed.end());
    std::vector<std::string> taken_out;
    const auto implicit_calls = find_systemd_set("@default");
    for (const std::string_view name : *implicit_calls) {
        const bool exists = std::any_of(abis.begin(), abis.end(),
                                        [&](Abi abi) { return syscall_number(abi, name).has_value(); });
        // Where libseccomp does not know a call, systemd warns of its name and does not allow it.
        const bool is_known = libseccomp_needed_for(name).empty();
        if (exists && is_known && names.count(name) == 0 && name != "execve") taken_out.emplace_back(name);
    }
    if (names.count("execve") == 0)
        losses.emplace_back("the denial of execve: systemd executes the command under the filter");
    // Without a first line without `~` the list would become a denylist.
    if (allowed.empty()) allowed.emplace_back("execve");
    write_filter(text, "", allowed);
    write_filter(text, "~", taken_out);
}

void write_denylist(std::string& text, const std::vector<CallPolicy>& calls, Unsaid& unsaid) {
    std::vector<std::string> denied;
    for (const CallPolicy& call : calls) {
        const auto denial = denial_of(call, unsaid);
        if (!denial) continue;
        denied.push_back(call.name + ":" + error_number(*denial));
        if (!can_say(*denial)) unsaid.add_denial(call, *denial);
    }
    write_filter(text, "~", denied);
}

void write_architectures(std::string& text, const Profile& flat, const std::vector<Abi>& abis,
                         std::vector<std::string>& losses) {
    std::string names;
    for (const Abi abi : abis) names += " " + std::string(systemd_name(abi));
    text += "SystemCallArchitectures=" + (flat.architectures.empty() ? "native" : names.substr(1)) + "\n";
    for (const std::string& token : flat.architectures)
        if (find_abi_by_token(token) == nullptr) losses.push_back("the architecture " + token);
}

}  // namespace

Result<Written> write_systemd(const Profile& profile, const WriteContext& context) {
    Written written;
    std::vector<std::string>& losses = written.losses;
    const Profile flat = flatten(profile, context.machine, losses);
    tell_of_listener_and_flags(flat, losses);
    const Decision otherwise = default_decision(flat);
    const std::vector<CallPolicy> calls = policy_by_call(flat);
    const std::vector<Abi> abis = covered_abis(flat, context.machine);
    std::string& text = written.content;
    text = heading_comment(flat, context.source);
    text += "[Service]\n";
    write_architectures(text, flat, abis, losses);
    Unsaid unsaid;
    const bool allows = lets_through(otherwise.action);
    if (allows) {
        if (otherwise.action == Action::log) losses.emplace_back("the logging of calls that no rule names");
        write_denylist(text, calls, unsaid);
    } else {
        if (!can_say(otherwise))
            losses.push_back(name_of(otherwise) + " for calls that no rule names: they kill the process");
        if (!kills(otherwise)) text += "SystemCallErrorNumber=" + error_number(otherwise) + "\n";
        write_allowlist(text, calls, abis, unsaid, losses);
    }
    unsaid.tell(allows ? "they kill the process" : "they are denied like calls that no rule names", losses);
    return written;
}

}  // namespace callcensus
