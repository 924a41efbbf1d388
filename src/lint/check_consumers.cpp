// What a consumer refuses in a profile, drops, or reads otherwise than it is written.
#include <algorithm>
#include <array>
#include <limits>

#include "base/errno_names.hpp"
#include "base/nearest.hpp"
#include "callcensus/machine.hpp"
#include "lint/checks.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

// The reader has found them; here they get a code, and advice.
void report_faults(Lint& lint, Fault::Kind kind, Severity severity, const std::string& fix) {
    for (const Fault& fault : lint.text.faults)
        if (fault.kind == kind) lint.report_at(severity, fault.place, fault.message, fix);
}

std::string named(const Rule& rule) {
    return enumerate(rule.names.empty() ? Strings{rule.name} : rule.names);
}

std::string joined(const std::string& path, std::string_view key) {
    return path + (path.empty() ? "" : ".") + std::string(key);
}

template <class Function>
void for_each_rule(Lint& lint, Function function) {
    for (std::size_t i = 0; i < lint.profile.rules.size(); ++i)
        function(lint.profile.rules[i], Lint::rule_path(i));
}

// Both parts of a rule's context, with their paths.
template <class Function>
void for_each_context(Lint& lint, Function function) {
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        function(rule.includes, path + ".includes");
        function(rule.excludes, path + ".excludes");
    });
}

// Every token under `architectures` and `archMap`, with its path.
template <class Function>
void for_each_architecture(Lint& lint, Function function) {
    const auto of_list = [&](const Strings& tokens, const std::string& path) {
        for (std::size_t i = 0; i < tokens.size(); ++i)
            function(tokens[i], path + "[" + std::to_string(i) + "]");
    };
    of_list(lint.profile.architectures, "architectures");
    for (std::size_t i = 0; i < lint.profile.arch_map.size(); ++i) {
        const std::string path = "archMap[" + std::to_string(i) + "]";
        function(lint.profile.arch_map[i].architecture, path + ".architecture");
        of_list(lint.profile.arch_map[i].sub_architectures, path + ".subArchitectures");
    }
}

bool is_on_kernel_only(const Context& context) {
    return context.caps.empty() && context.arches.empty() && !context.min_kernel.empty();
}

}  // namespace

void malformed(Lint& lint) {
    const bool counts_as_none = !taken_for_none_by(lint).empty();  // switched_off() says what becomes of it
    for (const Fault& fault : lint.text.faults)
        if (fault.kind == Fault::Kind::missing && !(counts_as_none && has_no_default(lint, fault)))
            lint.report_at(Severity::error, fault.place, fault.message, "add it; runtimes refuse the file");
    report_faults(lint, Fault::Kind::malformed, Severity::error, "correct it; runtimes refuse the file");
}

void unknown_action(Lint& lint) {
    for (const Fault& fault : lint.text.faults) {
        if (fault.kind != Fault::Kind::action) continue;
        if (has_no_default(lint, fault) && !taken_for_none_by(lint).empty()) continue;
        // The quoted token is all that the message holds in quotes.
        const auto from = fault.message.find('"') + 1;
        const std::string seen = fault.message.substr(from, fault.message.find('"', from) - from);
        lint.report_at(Severity::error, fault.place, fault.message,
                       "write " + std::string(token(nearest_action(seen))) + ", if that is what is meant");
    }
}

void unknown_architecture(Lint& lint) {
    report_faults(
        lint, Fault::Kind::architecture, Severity::error,
        "write libseccomp's name: SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …; runtimes refuse the file");
}

void unknown_operator(Lint& lint) {
    report_faults(lint, Fault::Kind::comparison, Severity::error,
                  "write SCMP_CMP_EQ, _NE, _LT, _LE, _GE, _GT or _MASKED_EQ; runtimes refuse the file");
}

void argument_index(Lint& lint) {
    report_faults(lint, Fault::Kind::index, Severity::error,
                  "count the arguments from 0 to 5; runtimes refuse the file");
}

void name_and_names(Lint& lint) {
    if (!lint.chosen({Consumer::docker, Consumer::podman}).empty())
        report_faults(lint, Fault::Kind::name_and_names, Severity::error, "put the name among the names");
}

void architectures_twice(Lint& lint) {
    if (!lint.chosen({Consumer::docker, Consumer::podman}).empty())
        report_faults(lint, Fault::Kind::architectures_twice, Severity::error,
                      "keep architectures and drop archMap, which only Docker and Podman read");
}

void byte_order_mark(Lint& lint) {
    report_faults(lint, Fault::Kind::byte_order_mark, Severity::error, "save the file as UTF-8 without it");
}

void repeated_key(Lint& lint) {
    report_faults(lint, Fault::Kind::repeated_key, Severity::warning, "keep one of them");
}

void unknown_member(Lint& lint) {
    constexpr std::array<std::string_view, 11> of_profile{
        "defaultAction", "defaultErrnoRet",  "defaultErrno", "architectures", "archMap",        "flags",
        "listenerPath",  "listenerMetadata", "syscalls",     "comment",       "baseProfileName"};
    constexpr std::array<std::string_view, 9> of_rule{"names", "name",    "action",   "errnoRet", "errno",
                                                      "args",  "comment", "includes", "excludes"};
    constexpr std::array<std::string_view, 3> of_context{"caps", "arches", "minKernel"};
    constexpr std::array<std::string_view, 4> of_argument{"index", "value", "valueTwo", "op"};
    const bool is_profile = !says_nothing(lint);
    const auto judge = [&](const std::string& path, std::string_view key, const auto& known) {
        const std::string meant = nearest_word(key, known);
        if (meant == key) return;
        const std::string at = joined(path, key);
        if (!meant.empty())
            lint.report(Severity::warning, at, at + " is a field that no runtime knows, and ignored",
                        "write " + meant + ", if that is what is meant (crun tells upper from lower case)");
        else if (is_profile)
            lint.report(Severity::note, at, at + " is a field that no runtime knows, and ignored",
                        "drop it, if it was meant to have an effect");
    };
    for (const auto& [key, value] : lint.profile.unknown) judge("", key, of_profile);
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        for (const auto& [key, value] : rule.unknown) judge(path, key, of_rule);
        for (std::size_t i = 0; i < rule.args.size(); ++i) {
            const std::string of = path + ".args[" + std::to_string(i) + "]";
            const std::string begin = of + ".";
            const auto& places = lint.text.places;
            for (auto at = places.lower_bound(begin); at != places.end() && at->first.rfind(begin, 0) == 0;
                 ++at)
                if (at->first.find_first_of(".[", begin.size()) == std::string::npos)
                    judge(of, std::string_view(at->first).substr(begin.size()), of_argument);
        }
    });
    for_each_context(lint, [&](const Context& context, const std::string& path) {
        for (const auto& [key, value] : context.unknown) judge(path, key, of_context);
    });
}

void no_names(Lint& lint) {
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        if (!rule.names.empty() || !rule.name.empty()) return;
        const bool has_field = lint.text.places.count(path + ".names") != 0;
        const std::string crun = lint.chosen({Consumer::crun});
        if (!has_field && !crun.empty())
            lint.report(Severity::error, path, path + " has no names, and crun refuses the file",
                        "name the calls, or drop the rule");
        else
            lint.report(Severity::warning, path, path + " names no call and has no effect",
                        "name the calls, or drop the rule");
    });
}

void context_dropped(Lint& lint) {
    const std::string who =
        lint.chosen_where([](const ConsumerFacts& facts) { return !facts.dockers_fields; });
    if (who.empty()) return;
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        if (rule.includes.empty() && rule.excludes.empty()) return;
        const bool loosens = lets_through(rule.action);
        lint.report(
            loosens ? Severity::error : Severity::warning,
            path + (rule.includes.empty() ? ".excludes" : ".includes"),
            "includes and excludes are not read by " + who + ": " + path + " " +
                (loosens ? "allows " : "denies ") + named(rule) + " without any condition",
            loosens ? "drop the rule, or allow without the condition if the container has what it asks for"
                    : "drop the rule, if the calls are allowed elsewhere");
    });
}

void arch_map_dropped(Lint& lint) {
    const std::string who =
        lint.chosen_where([](const ConsumerFacts& facts) { return !facts.dockers_fields; });
    if (!who.empty() && !lint.profile.arch_map.empty() && lint.profile.architectures.empty())
        lint.report(Severity::warning, "archMap",
                    "archMap is not read by " + who +
                        ": the profile is for the native architecture only, and other calls "
                        "(32-bit programs) are killed",
                    "write architectures instead");
}

void name_dropped(Lint& lint) {
    const std::string who =
        lint.chosen_where([](const ConsumerFacts& facts) { return !facts.dockers_fields; });
    if (who.empty()) return;
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        if (rule.names.empty() && !rule.name.empty())
            lint.report(Severity::error, path + ".name",
                        "name is not read by " + who + ": the rule for " + rule.name + " has no effect" +
                            (lint.chosen({Consumer::crun}).empty() ? "" : ", and crun refuses the file"),
                        "write \"names\": [\"" + rule.name + "\"]");
    });
}

void errno_name_dropped(Lint& lint) {
    const std::string who = lint.chosen_where([](const ConsumerFacts& facts) { return !facts.errno_names; });
    if (who.empty()) return;
    const auto judge = [&](Action action, const std::string& name, std::optional<std::uint32_t> number,
                           const std::string& path, const std::string& numeric) {
        const auto errnum = errno_from_name(name);
        constexpr std::uint32_t without_number = 1;  // EPERM
        if (name.empty() || action != Action::errno_ || !errnum ||
            static_cast<std::uint32_t>(*errnum) == number.value_or(without_number))
            return;
        lint.report(Severity::warning, path,
                    "errno names are not read by " + who + ": denied calls fail with " +
                        callcensus::errno_name(static_cast<int>(number.value_or(without_number))) +
                        " instead of " + name,
                    "write \"" + numeric + "\": " + std::to_string(*errnum) + " as well");
    };
    judge(lint.profile.default_action, lint.profile.default_errno_name, lint.profile.default_errno_ret,
          "defaultErrno", "defaultErrnoRet");
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        judge(rule.action, rule.errno_name, rule.errno_ret, path + ".errno", "errnoRet");
    });
}

void min_kernel_dropped(Lint& lint) {
    const std::string who = lint.chosen({Consumer::podman});
    if (who.empty()) return;
    for_each_context(lint, [&](const Context& context, const std::string& path) {
        if (!context.min_kernel.empty())
            lint.report(
                Severity::warning, path + ".minKernel",
                who + " drops minKernel: the rule is read as if it " +
                    (is_on_kernel_only(context) ? "were for every kernel" : "did not ask for a kernel"),
                "make sure that the rule does no harm on older kernels, or drop it");
    });
}

void min_kernel_form(Lint& lint) {
    const std::string who = lint.chosen({Consumer::docker});
    if (who.empty()) return;
    for_each_context(lint, [&](const Context& context, const std::string& path) {
        if (!context.min_kernel.empty() && !read_kernel_version(context.min_kernel))
            lint.report(Severity::error, path + ".minKernel",
                        who + " refuses minKernel \"" + context.min_kernel + "\"",
                        "write major and minor version and nothing else: \"4.8\"");
    });
}

void context_architecture(Lint& lint) {
    // What Docker's own default profile says although no machine is called so.
    constexpr std::array<std::string_view, 3> harmless{"x32", "x86", "s390"};
    std::vector<std::string_view> go_names;
    for (const AbiInfo& row : all_abis())
        if (!row.go_name.empty()) go_names.push_back(row.go_name);
    const std::string who =
        lint.chosen_where([](const ConsumerFacts& facts) { return facts.dockers_fields; });
    if (who.empty()) return;
    for_each_context(lint, [&](const Context& context, const std::string& path) {
        for (std::size_t i = 0; i < context.arches.size(); ++i) {
            const std::string& arch = context.arches[i];
            if (std::find(go_names.begin(), go_names.end(), arch) != go_names.end()) continue;
            const bool in_dockers = std::find(harmless.begin(), harmless.end(), arch) != harmless.end();
            const AbiInfo* row = find_abi_by_token(arch);
            if (row == nullptr) row = find_abi(arch);
            const std::string meant =
                row != nullptr ? std::string(row->go_name) : nearest_word(arch, go_names);
            lint.report(in_dockers ? Severity::note : Severity::error,
                        path + ".arches[" + std::to_string(i) + "]",
                        "no machine is \"" + arch + "\" to " + who + ": the names are Go's",
                        in_dockers || meant.empty() ? "name the machine's own architecture: amd64, arm64, …"
                                                    : "write \"" + meant + "\"");
        }
    });
}

void capability(Lint& lint) {
    // linux/capability.h up to 6.18, in the order of their numbers.
    constexpr std::array<std::string_view, 41> known{"CAP_CHOWN",
                                                     "CAP_DAC_OVERRIDE",
                                                     "CAP_DAC_READ_SEARCH",
                                                     "CAP_FOWNER",
                                                     "CAP_FSETID",
                                                     "CAP_KILL",
                                                     "CAP_SETGID",
                                                     "CAP_SETUID",
                                                     "CAP_SETPCAP",
                                                     "CAP_LINUX_IMMUTABLE",
                                                     "CAP_NET_BIND_SERVICE",
                                                     "CAP_NET_BROADCAST",
                                                     "CAP_NET_ADMIN",
                                                     "CAP_NET_RAW",
                                                     "CAP_IPC_LOCK",
                                                     "CAP_IPC_OWNER",
                                                     "CAP_SYS_MODULE",
                                                     "CAP_SYS_RAWIO",
                                                     "CAP_SYS_CHROOT",
                                                     "CAP_SYS_PTRACE",
                                                     "CAP_SYS_PACCT",
                                                     "CAP_SYS_ADMIN",
                                                     "CAP_SYS_BOOT",
                                                     "CAP_SYS_NICE",
                                                     "CAP_SYS_RESOURCE",
                                                     "CAP_SYS_TIME",
                                                     "CAP_SYS_TTY_CONFIG",
                                                     "CAP_MKNOD",
                                                     "CAP_LEASE",
                                                     "CAP_AUDIT_WRITE",
                                                     "CAP_AUDIT_CONTROL",
                                                     "CAP_SETFCAP",
                                                     "CAP_MAC_OVERRIDE",
                                                     "CAP_MAC_ADMIN",
                                                     "CAP_SYSLOG",
                                                     "CAP_WAKE_ALARM",
                                                     "CAP_BLOCK_SUSPEND",
                                                     "CAP_AUDIT_READ",
                                                     "CAP_PERFMON",
                                                     "CAP_BPF",
                                                     "CAP_CHECKPOINT_RESTORE"};
    for_each_context(lint, [&](const Context& context, const std::string& path) {
        for (std::size_t i = 0; i < context.caps.size(); ++i) {
            const std::string& cap = context.caps[i];
            if (std::find(known.begin(), known.end(), cap) != known.end()) continue;
            std::string meant = nearest_word(cap, known);
            if (meant.empty()) meant = nearest_word("CAP_" + cap, known);
            lint.report(Severity::warning, path + ".caps[" + std::to_string(i) + "]",
                        "no capability is called \"" + cap + "\", so that no container has it",
                        meant.empty() ? "write it as capabilities(7) does: CAP_SYS_ADMIN" : "write " + meant);
        }
    });
}

void flags(Lint& lint) {
    const auto known = all_filter_flags();
    for (std::size_t i = 0; i < lint.profile.flags.size(); ++i) {
        const std::string& flag = lint.profile.flags[i];
        if (std::find(known.begin(), known.end(), flag) != known.end()) continue;
        const std::string meant = nearest_word(flag, known);
        lint.report(Severity::error, "flags[" + std::to_string(i) + "]",
                    "\"" + flag + "\" is no flag, and runtimes refuse the file",
                    meant.empty() ? "drop it" : "write " + meant);
    }
    if (lint.profile.flags.empty()) return;
    const std::string refusing = lint.chosen({Consumer::runc, Consumer::containerd, Consumer::podman});
    if (!refusing.empty())
        lint.report(Severity::warning, "flags",
                    "runc 1.1.5 and older refuse a profile with flags (" + refusing + ")",
                    "drop the flags, or make sure that runc is newer");
    if (!lint.chosen({Consumer::docker}).empty())
        lint.report(Severity::warning, "flags", "docker 20.10 and older drop the flags",
                    "do not rely on them with an older docker");
}

void errno_without_use(Lint& lint) {
    const std::string who = lint.chosen({Consumer::podman, Consumer::crun});
    const auto judge = [&](Action action, bool has_errno, const std::string& path) {
        if (!has_errno || action == Action::errno_ || action == Action::trace) return;
        const std::string what = path + " has no effect with " + std::string(token(action));
        lint.report(who.empty() ? Severity::note : Severity::error, path,
                    who.empty() ? what : what + ", and crun refuses the file (" + who + ")", "drop it");
    };
    judge(lint.profile.default_action, lint.profile.default_errno_ret.has_value(), "defaultErrnoRet");
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        judge(rule.action, rule.errno_ret.has_value(), path + ".errnoRet");
    });
}

void errno_value(Lint& lint) {
    constexpr std::uint32_t largest = 4095;  // MAX_ERRNO, linux/err.h: the kernel cuts what is above
    const auto judge = [&](const Decision& decision, const std::string& path) {
        if (decision.action != Action::errno_) return;
        if (decision.value == 0)
            lint.report(Severity::warning, path,
                        path + " is 0: the call is not made, and the program is told that it succeeded",
                        "name an error, 1 (EPERM) or 38 (ENOSYS)");
        else if (decision.value > largest)
            lint.report(Severity::error, path,
                        path + " is above 4095, the largest errno there is, and runtimes refuse the file",
                        "name an error, 1 (EPERM) or 38 (ENOSYS)");
    };
    judge(default_decision(lint.profile), "defaultErrnoRet");
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        judge(decision_of(rule), path + ".errnoRet");
    });
}

void errno_name(Lint& lint) {
    const std::string who = lint.chosen_where([](const ConsumerFacts& facts) { return facts.errno_names; });
    if (who.empty()) return;
    const auto judge = [&](const std::string& name, const std::string& path) {
        if (!name.empty() && !errno_from_name(name))
            lint.report(Severity::error, path, who + " refuses the unknown errno \"" + name + "\"",
                        "write it as errno(3) does: ENOSYS");
    };
    judge(lint.profile.default_errno_name, "defaultErrno");
    for_each_rule(
        lint, [&](const Rule& rule, const std::string& path) { judge(rule.errno_name, path + ".errno"); });
}

void notify(Lint& lint) {
    if (lint.profile.default_action == Action::notify)
        lint.report(
            Severity::error, "defaultAction",
            "runtimes refuse SCMP_ACT_NOTIFY as the default: their own calls would wait for an answer too",
            "notify about single calls and deny the rest");
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        if (rule.action != Action::notify) return;
        if (rule.speaks_of("write"))
            lint.report(Severity::error, path,
                        "runtimes refuse SCMP_ACT_NOTIFY for write, with which they hand over the listener",
                        "take write out of the rule");
        const bool refused = lint.options.consumers != std::vector{Consumer::crun};
        if (lint.profile.listener_path.empty())
            lint.report(
                refused ? Severity::error : Severity::warning, path + ".action",
                std::string(
                    "SCMP_ACT_NOTIFY needs somebody who answers, and the profile has no listenerPath") +
                    (refused ? ": runc refuses the file" : ""),
                "add the listenerPath of the agent's socket");
    });
}

void listener(Lint& lint) {
    const auto& rules = lint.profile.rules;
    if (std::any_of(rules.begin(), rules.end(),
                    [](const Rule& rule) { return rule.action == Action::notify; }))
        return;
    for (const auto& [field, value] : {std::pair("listenerPath", lint.profile.listener_path),
                                       std::pair("listenerMetadata", lint.profile.listener_metadata)})
        if (!value.empty())
            lint.report(
                Severity::warning, field,
                std::string(field) +
                    " is of no use without a rule with SCMP_ACT_NOTIFY, and crun fails where nobody listens",
                "drop it");
}

void byte_orders(Lint& lint) {
    constexpr std::uint32_t little_endian = 0x40000000;  // __AUDIT_ARCH_LE, linux/audit.h
    std::optional<bool> first;
    for (std::size_t i = 0; i < lint.profile.architectures.size(); ++i) {
        const AbiInfo* row = find_abi_by_token(lint.profile.architectures[i]);
        if (row == nullptr) continue;
        const bool little = (row->audit_arch & little_endian) != 0;
        if (first.value_or(little) != little) {
            lint.report(
                Severity::error, "architectures[" + std::to_string(i) + "]",
                "architectures of both byte orders cannot be in one filter, and runtimes refuse the file",
                "write a profile for each machine, or an archMap for docker and podman");
            return;
        }
        first = little;
    }
}

void new_architecture(Lint& lint) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 2> recent{
        {{"SCMP_ARCH_RISCV64", "runc 1.1.5 and older"},
         {"SCMP_ARCH_LOONGARCH64", "runtimes with libseccomp before 2.6"}}};
    // Of an archMap only the machine's own row is read.
    for (std::size_t i = 0; i < lint.profile.architectures.size(); ++i)
        for (const auto& [token, who] : recent)
            if (lint.profile.architectures[i] == token)
                lint.report(Severity::note, "architectures[" + std::to_string(i) + "]",
                            std::string(who) + " refuse a profile with " + std::string(token),
                            "leave it out where the profile is not for such machines");
}

void operator_form(Lint& lint) {
    if (lint.chosen({Consumer::spo}).empty()) return;
    const std::string resource = "a SeccompProfile of the security-profiles-operator";
    if (default_decision(lint.profile).action == Action::errno_ && default_decision(lint.profile).value != 1)
        lint.report(Severity::warning, "defaultErrnoRet",
                    resource + " has no defaultErrnoRet: calls are denied with EPERM",
                    "deny by rule those whose errno matters (clone3 with ENOSYS)");
    for_each_architecture(lint, [&](const std::string& token, const std::string& path) {
        if (token == "SCMP_ARCH_LOONGARCH64")
            lint.report(Severity::error, path, resource + " does not know " + token, "leave it out");
    });
    for_each_rule(lint, [&](const Rule& rule, const std::string& path) {
        if (rule.errno_ret == 0U && rule.action == Action::errno_)
            lint.report(Severity::warning, path + ".errnoRet",
                        resource + " takes errnoRet 0 for none: the call fails with EPERM", "name an error");
        if (rule.args.size() > 6)
            lint.report(Severity::error, path + ".args", resource + " has room for six conditions in a rule",
                        "write several rules");
        constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < rule.args.size(); ++i)
            if (rule.args[i].value > largest || rule.args[i].value_two > largest)
                lint.report(Severity::error, path + ".args[" + std::to_string(i) + "]",
                            resource + " holds constants up to 9223372036854775807 only",
                            "compare the low half of the argument by SCMP_CMP_MASKED_EQ");
    });
}

}  // namespace callcensus::checks
