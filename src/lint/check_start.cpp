// Whether a container comes to its command under the profile, and its programs to their end.
#include <algorithm>
#include <array>
#include <tuple>

#include "lint/checks.hpp"
#include "meaning/runtime_calls.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

// The profiles on which a SeccompProfile rests allow what is not seen here.
bool rests_on_another(const Profile& profile) {
    return std::any_of(profile.unknown.begin(), profile.unknown.end(),
                       [](const auto& member) { return member.first == "baseProfileName"; });
}

// What the runtime itself is denied, all for the same reason and with the same effect.
struct Denied {
    bool stops = false;           // every container, or else some
    bool whatever_rights = true;  // also those with no_new_privs, for one of the calls at least
    bool sometimes = false;       // for some arguments only
    RuleDenial denial;
    Strings names;

    [[nodiscard]] auto key() const { return std::tuple(!stops, sometimes, denial.rule, denial.decision); }
};

// A runtime that is told that a call succeeded, or waits for an agent's answer, may come through.
bool is_certain(const Decision& decision) {
    return decision.action != Action::notify && decision != Decision{Action::errno_, 0};
}

std::optional<Denied> judge(Lint& lint, Consumer consumer, const std::string& name) {
    const Answer answer = lint.answers_for(consumer).of(name);
    const RuleDenial* const denial = answer.denial();
    if (denial == nullptr || (!denial->rule && rests_on_another(lint.profile))) return std::nullopt;
    const RuntimeSet runtime = facts_of(consumer).runtime;
    ContainerUse use{.no_new_privileges = lint.options.no_new_privileges,
                     .denial_kills = denial_kills(denial->decision.action)};
    const auto needed = [&] {
        const Strings names = runtime_calls(runtime, use);
        return std::binary_search(names.begin(), names.end(), name);
    };
    const auto stops = [&] {
        return answer.always_denied() && is_certain(denial->decision) &&
               stops_every_start(runtime, use, name);
    };
    if (!needed()) return std::nullopt;
    Denied denied{stops(), true, answer.lets_through, *denial, {name}};
    use.no_new_privileges = true;
    denied.whatever_rights = denied.stops ? stops() : needed();
    return denied;
}

// Sorted by how bad they are.
std::vector<Denied> denied_to_runtime(Lint& lint, Consumer consumer) {
    std::vector<Denied> groups;
    for (const std::string& name : runtime_calls(facts_of(consumer).runtime, {.denial_kills = true})) {
        if (!lint.exists(name)) continue;
        auto denied = judge(lint, consumer, name);
        if (!denied) continue;
        const auto same = std::find_if(groups.begin(), groups.end(),
                                       [&](const Denied& other) { return other.key() == denied->key(); });
        if (same == groups.end())
            groups.push_back(std::move(*denied));
        else {
            same->names.push_back(name);
            same->whatever_rights = same->whatever_rights || denied->whatever_rights;
        }
    }
    std::sort(groups.begin(), groups.end(),
              [](const Denied& a, const Denied& b) { return a.key() < b.key(); });
    return groups;
}

void report(Lint& lint, const Denied& denied, const Strings& consumers) {
    const auto& [stops, whatever_rights, sometimes, denial, names] = denied;
    const std::string path = lint.path_of(denial, names.front(), "syscalls");
    const std::string how = denial.rule ? predicate(denial.decision) + " by " + lint.line_of(path)
                                        : std::string("is not allowed");
    lint.report(stops ? Severity::error : Severity::warning, path,
                std::string(stops ? "no container starts with " : "the container may not start with ") +
                    enumerate(consumers) + (whatever_rights ? "" : " unless it has no_new_privileges") +
                    ": the runtime itself makes " + enumerate(names) + " under the filter, and " +
                    (sometimes ? "for some arguments that " : "that ") + how,
                denial.rule ? "take " + enumerate(names) + " out of the rule"
                            : std::string("allow it, or derive the profile with --runtime") +
                                  (whatever_rights ? "" : " and without --no-new-privileges"));
}

}  // namespace

void missing_end(Lint& lint) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> needed{{
        {"exit", "threads end by it"},
        {"exit_group", "programs end by it, and crash without"},
        {"rt_sigreturn", "signal handlers return by it, and crash without"},
        {"sigreturn", "signal handlers of 32-bit programs return by it, and crash without"},
        {"restart_syscall", "the kernel makes it by itself after a stop"},
    }};
    for (const auto& [name, why] : needed) {
        if (!lint.exists(name)) continue;
        for (const Consumer consumer : lint.options.consumers) {
            const Answer answer = lint.answers_for(consumer).of(name);
            const RuleDenial* const denial = answer.denial();
            if (denial == nullptr || (!denial->rule && rests_on_another(lint.profile))) continue;
            lint.report(Severity::warning, lint.path_of(*denial, name, "syscalls"),
                        std::string(name) +
                            (denial->rule ? " " + predicate(denial->decision) : " is not allowed") + ": " +
                            std::string(why),
                        "allow it");
            break;
        }
    }
}

void missing_runtime_calls(Lint& lint) {
    struct Group {
        Denied denied;
        Strings consumers;
    };
    // Consumers that are denied the same are named together.
    std::vector<Group> groups;
    for (const Consumer consumer : lint.options.consumers)
        for (const Denied& denied : denied_to_runtime(lint, consumer)) {
            auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
                return group.denied.key() == denied.key() && group.denied.names == denied.names &&
                       group.denied.whatever_rights == denied.whatever_rights;
            });
            if (same == groups.end()) same = groups.insert(groups.end(), Group{denied, {}});
            same->consumers.emplace_back(to_string(consumer));
        }
    for (const Group& group : groups) report(lint, group.denied, group.consumers);
}

}  // namespace callcensus::checks
