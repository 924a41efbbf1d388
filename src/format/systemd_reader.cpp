// Reads the system call filter of a systemd unit or drop-in: SystemCallFilter=, SystemCallErrorNumber=,
// SystemCallArchitectures= and SystemCallLog=, in their order, as systemd does. Other settings that make
// filters of their own (RestrictNamespaces= and the like) are noted and not read.
//
// Source: systemd.exec(5) and systemd.syntax(7); systemd 252, config_parse_syscall_filter() in
// src/core/load-fragment.c and seccomp_parse_syscall_filter() in src/shared/seccomp-util.c.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "base/errno_names.hpp"
#include "format/errno_limit.hpp"
#include "format/formats.hpp"
#include "format/located_json.hpp"
#include "format/systemd_sets.hpp"

namespace callcensus {
namespace {

constexpr Decision kill{Action::kill_process, 0};

// A setting in a unit: continued lines are one, and comments between them are passed over.
struct Assignment {
    std::string key;
    std::string value;
    std::size_t offset;
};

// A list that the first line makes an allowlist or a denylist, in the order in which calls came into it.
struct CallList {
    bool is_set = false;
    bool allows = false;
    std::vector<std::string> order;
    std::map<std::string, std::optional<Decision>> calls;  // with a decision of their own, or none

    void put(const std::string& call, const std::optional<Decision>& decision) {
        if (calls.insert_or_assign(call, decision).second) order.push_back(call);
    }
    void remove(const std::string& call) {
        if (calls.erase(call) != 0) order.erase(std::find(order.begin(), order.end(), call));
    }
    [[nodiscard]] bool contains(const std::string& call) const { return calls.count(call) != 0; }
};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::vector<std::string> words_between_blanks(std::string_view text) {
    std::vector<std::string> words;
    while (!(text = trimmed(text)).empty()) {
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

// Those of the sections that execute a command.
std::vector<Assignment> assignments_of(std::string_view text) {
    constexpr std::array<std::string_view, 4> sections{"[Service]", "[Socket]", "[Mount]", "[Swap]"};
    std::vector<Assignment> all;
    bool counts = true;  // a fragment without a section is read, too
    bool continues = false;
    std::string whole;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = trimmed(text.substr(at, end - at));
        const std::size_t here = at;
        at = end + 1;
        if (!line.empty() && (line.front() == '#' || line.front() == ';')) continue;
        if (!continues) {
            whole.clear();
            begin = here;
        }
        continues = !line.empty() && line.back() == '\\';
        whole += line.substr(0, line.size() - (continues ? 1 : 0));
        if (continues) {
            whole += ' ';
            if (at < text.size()) continue;
        }
        const std::string_view done = trimmed(whole);
        if (!done.empty() && done.front() == '[') {
            counts = std::find(sections.begin(), sections.end(), done) != sections.end();
            continue;
        }
        const auto sign = done.find('=');
        if (counts && sign != std::string_view::npos)
            all.push_back({std::string(trimmed(done.substr(0, sign))),
                           std::string(trimmed(done.substr(sign + 1))), begin});
    }
    return all;
}

std::optional<Decision> read_error_number(const std::string& text) {
    if (text == "kill") return kill;
    if (const auto named = errno_from_name(text); named && *named < 512)  // above are the kernel's own
        return Decision{Action::errno_, static_cast<std::uint32_t>(*named)};
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > largest_errno)
        return std::nullopt;
    return Decision{Action::errno_, number};
}

// Makes filters that no profile of ours holds (systemd.exec(5)).
bool makes_another_filter(std::string_view key) {
    constexpr std::array<std::string_view, 13> keys{
        "RestrictNamespaces",   "RestrictAddressFamilies", "RestrictRealtime",
        "RestrictSUIDSGID",     "MemoryDenyWriteExecute",  "LockPersonality",
        "ProtectKernelModules", "ProtectKernelTunables",   "ProtectKernelLogs",
        "ProtectClock",         "ProtectHostname",         "PrivateDevices",
        "DynamicUser"};
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

class UnitReader {
  public:
    UnitReader(std::string_view text, const ReadContext& context) : text_(text), context_(context) {}

    Result<Profile> read() {
        bool has_any = false;
        for (const Assignment& line : assignments_of(text_)) {
            if (line.key == "SystemCallFilter") {
                read_list(line, filter_, true);
            } else if (line.key == "SystemCallLog") {
                read_list(line, log_, false);
            } else if (line.key == "SystemCallErrorNumber") {
                read_error(line);
            } else if (line.key == "SystemCallArchitectures") {
                read_architectures(line);
            } else {
                if (makes_another_filter(line.key) && line.value != "no" && line.value != "false")
                    note(line, line.key + "= makes a filter of its own, which is not read");
                continue;
            }
            has_any = true;
        }
        if (!has_any)
            return fail(
                "is a systemd unit without SystemCallFilter=: systemd makes no filter of calls for it",
                context_.source);
        return profile();
    }

  private:
    void note(const Assignment& line, const std::string& what) const {
        context_.note(what, place(text_, context_.source, line.offset));
    }

    void read_list(const Assignment& line, CallList& list, bool is_filter) {
        if (line.value.empty()) {
            list = {};
            return;
        }
        const bool inverts = line.value.front() == '~';
        if (!list.is_set) {
            list.is_set = true;
            list.allows = !inverts;
            // Whoever executes the command and ends it makes these.
            if (is_filter && list.allows) change(line, list, "@default", std::nullopt, false);
        }
        for (const std::string& word :
             words_between_blanks(std::string_view(line.value).substr(inverts ? 1 : 0))) {
            const auto colon = is_filter ? word.find(':') : std::string::npos;
            std::optional<Decision> decision;
            if (colon != std::string::npos) {
                decision = read_error_number(word.substr(colon + 1));
                if (!decision) {
                    note(line,
                         fmt::format("\"{}\" has no errno that systemd knows, which passes it over", word));
                    continue;
                }
            }
            change(line, list, word.substr(0, colon), decision, inverts);
        }
    }

    void change(const Assignment& line, CallList& list, const std::string& name,
                const std::optional<Decision>& decision, bool inverts) {
        if (name.empty()) return;
        const auto apply = [&](const std::string& call) {
            if (inverts != list.allows)
                list.put(call, decision);
            else
                list.remove(call);
        };
        if (name.front() != '@') {
            named_.insert(name);
            return apply(name);
        }
        if (const auto calls = find_systemd_set(name)) {
            for (const std::string_view call : *calls)
                if (libseccomp_needed_for(call).empty())
                    apply(std::string(call));  // else it passes them over
            return;
        }
        const std::string nearest = nearest_systemd_set(name);
        note(line, fmt::format("\"{}\" is no set of systemd 252, and passed over{}", name,
                               nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    }

    void read_error(const Assignment& line) {
        const auto decision = line.value.empty() ? std::optional(kill) : read_error_number(line.value);
        if (decision)
            denial_ = *decision;
        else
            note(line, fmt::format("\"{}\" is no errno, and passed over", line.value));
    }

    void read_architectures(const Assignment& line) {
        if (line.value.empty()) architectures_.clear();
        for (const std::string& word : words_between_blanks(line.value)) {
            const AbiInfo* row = word == "native" ? &info(context_.abi) : find_abi_of_systemd(word);
            if (row == nullptr) {
                note(line, fmt::format("\"{}\" is no architecture that we know, and passed over", word));
                continue;
            }
            // systemd adds the machine's own.
            for (const Abi abi : {context_.abi, row->abi}) add_architecture(abi);
        }
    }

    void add_architecture(Abi abi) {
        const std::string token(info(abi).token);
        if (std::find(architectures_.begin(), architectures_.end(), token) == architectures_.end())
            architectures_.push_back(token);
    }

    // A call that one filter allows and the other one logs is logged.
    [[nodiscard]] bool is_logged(const std::string& call) const {
        return log_.is_set && log_.allows == log_.contains(call);
    }

    Profile profile() {
        Profile profile;
        // Without SystemCallArchitectures= the filter is for all that the machine can execute.
        if (architectures_.empty())
            for (const AbiInfo& row : all_abis())
                if (row.native == info(context_.abi).native) add_architecture(row.abi);
        profile.architectures = architectures_;
        const bool logs_others = log_.is_set && !log_.allows;
        const Decision otherwise = filter_.is_set && filter_.allows ? denial_
                                   : logs_others                    ? Decision{Action::log, 0}
                                                                    : Decision{Action::allow, 0};
        profile.default_action = otherwise.action;
        if (otherwise.action == Action::errno_) profile.default_errno_ret = otherwise.value;
        std::set<Abi> abis;
        for (const std::string& token : architectures_) abis.insert(find_abi_by_token(token)->abi);
        // Sets have the calls of all ABIs, of which a filter for these takes no notice.
        const auto has_effect = [&](const std::string& call) {
            return named_.count(call) != 0 || can_be_made_on_any(abis, call);
        };
        for (const std::string& call : filter_.order) {
            if (!has_effect(call)) continue;
            const auto own = filter_.calls.at(call);
            add(profile, call, own ? *own : filter_.allows ? allowed(call) : denial_, otherwise);
        }
        if (!filter_.allows)
            for (const std::string& call : log_.order)
                if (!filter_.contains(call) && has_effect(call)) add(profile, call, allowed(call), otherwise);
        return profile;
    }

    [[nodiscard]] Decision allowed(const std::string& call) const {
        return {is_logged(call) ? Action::log : Action::allow, 0};
    }

    // Calls one after the other with the same decision are one rule.
    static void add(Profile& profile, const std::string& call, const Decision& decision,
                    const Decision& otherwise) {
        if (decision == otherwise) return;
        if (profile.rules.empty() || decision_of(profile.rules.back()) != decision) {
            Rule& rule = profile.rules.emplace_back();
            rule.action = decision.action;
            if (decision.action == Action::errno_) rule.errno_ret = decision.value;
        }
        profile.rules.back().names.push_back(call);
    }

    std::string_view text_;
    const ReadContext& context_;
    CallList filter_;
    CallList log_;
    std::set<std::string> named_;  // otherwise than by a set
    Decision denial_ = kill;
    std::vector<std::string> architectures_;
};

}  // namespace

Result<Profile> read_systemd(std::string_view text, const ReadContext& context) {
    return UnitReader(text, context).read();
}

}  // namespace callcensus
