// Denials from which the programs do not go on to an older call, as they do from ENOSYS.
#include <algorithm>
#include <cerrno>

#include "base/words.hpp"
#include "callcensus/describe.hpp"
#include "lint/checks.hpp"
#include "lint/fallbacks.hpp"
#include "meaning/runtime_calls.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

bool is_survived(const RuleDenial& denial, const Fallback& fallback) {
    return denial.decision.action == Action::errno_ && fallback.from_any_error;
}

// TRACE without a tracer gives ENOSYS; what NOTIFY gives is up to the agent. A rule that denies by another
// errno than ENOSYS was meant for the call, and is worth a word also where its callers survive that.
bool is_gone_on_from(const RuleDenial& denial, const Fallback& fallback) {
    const Decision& decision = denial.decision;
    if (decision.action == Action::errno_)
        return decision.value == ENOSYS || (is_survived(denial, fallback) && !denial.rule);
    return decision.action == Action::trace || decision.action == Action::notify;
}

bool has_older(const Answers& answers, const Fallback& fallback) {
    const auto older = words_of(fallback.older);
    return older.empty() || std::any_of(older.begin(), older.end(),
                                        [&](std::string_view name) { return answers.of(name).lets_through; });
}

// The denial of the call that its callers do not go on from.
std::optional<RuleDenial> breaking(const Answers& answers, const Fallback& fallback) {
    const Answer answer = answers.of(fallback.name);
    if (answer.denial() == nullptr) return std::nullopt;
    for (const RuleDenial& denial : answer.denials)
        if ((denial.rule || !answer.lets_through) && !is_gone_on_from(denial, fallback) &&
            has_older(answers, fallback))
            return denial;
    return std::nullopt;
}

// runc answers ENOSYS for numbers above the highest one that the profile names on an ABI.
bool is_up_to_runcs_stub(const Answers& answers, const Fallback& fallback, const RuleDenial& denial) {
    return !denial.rule && !answers.names(fallback.name);
}
bool runs_by_runc_alone(Consumer consumer) { return facts_of(consumer).runtime == RuntimeSet::runc; }

struct Highest {
    std::uint32_t number = 0;
    std::string name;
    std::string path;
};
Highest highest_named(const Lint& lint, const Answers& answers, Abi abi) {
    Highest highest;
    for (const auto& [name, uses] : lint.uses)
        if (const auto number = syscall_number(abi, name);
            number && *number >= highest.number && answers.names(name))
            highest = {*number, name, uses.front().path};
    return highest;
}

// Which calls lose runc's ENOSYS, and by the name of which; on the first ABI where any does.
struct Lost {
    Highest by;
    Strings names;
};
std::optional<Lost> lost_under_runc(const Lint& lint, const Answers& answers) {
    for (const Abi abi : lint.abis) {
        Lost lost{highest_named(lint, answers, abi), {}};
        for (const Fallback& fallback : all_fallbacks()) {
            const auto number = syscall_number(abi, fallback.name);
            if (!number || *number >= lost.by.number) continue;
            const auto denial = breaking(answers, fallback);
            if (denial && is_up_to_runcs_stub(answers, fallback, *denial))
                lost.names.emplace_back(fallback.name);
        }
        if (!lost.names.empty()) return lost;
    }
    return std::nullopt;
}

// What a function finds in a container as engines start it or else in one with more rights, which may have
// the older call only.
template <class Function>
auto first_of(Lint& lint, Consumer consumer, Function find) {
    auto found = find(lint.answers_for(consumer, Rights::by_default));
    return found ? found : find(lint.answers_for(consumer, Rights::all_named));
}

std::string default_path(const Lint& lint) {
    return lint.text.places.count("defaultErrnoRet") != 0 ? "defaultErrnoRet" : "defaultAction";
}

}  // namespace

void denied_fallback(Lint& lint) {
    // Calls that are denied alike to the same consumers, and to the same users.
    struct Group {
        RuleDenial denial;
        const Fallback* fallback;
        Strings names;
        Strings consumers;
    };
    std::vector<Group> groups;
    for (const Fallback& fallback : all_fallbacks()) {
        if (!lint.exists(fallback.name)) continue;
        std::vector<Group> of_call;
        for (const Consumer consumer : lint.options.consumers) {
            const auto denial = first_of(lint, consumer, [&](const Answers& answers) {
                auto found = breaking(answers, fallback);
                if (found && runs_by_runc_alone(consumer) && is_up_to_runcs_stub(answers, fallback, *found))
                    found.reset();
                return found;
            });
            if (!denial) continue;
            auto same = std::find_if(of_call.begin(), of_call.end(),
                                     [&](const Group& group) { return group.denial == *denial; });
            if (same == of_call.end())
                same = of_call.insert(of_call.end(),
                                      Group{*denial, &fallback, {std::string(fallback.name)}, {}});
            same->consumers.emplace_back(to_string(consumer));
        }
        for (Group& group : of_call) {
            const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
                return other.denial == group.denial && other.consumers == group.consumers &&
                       other.fallback->user == fallback.user;
            });
            if (same == groups.end())
                groups.push_back(std::move(group));
            else
                same->names.push_back(group.names.front());
        }
    }
    for (const auto& [denial, fallback, names, consumers] : groups) {
        const std::string them = names.size() == 1 ? "it" : "them";
        const bool survived = is_survived(denial, *fallback);
        lint.report(
            survived ? Severity::note : Severity::warning,
            lint.path_of(denial, names.front(), default_path(lint)),
            enumerate(names) + (names.size() == 1 ? " " : ": each ") + predicate(denial.decision) +
                (survived ? ", which its callers survive, but only ENOSYS says what is meant ("
                 : fallback->older.empty() ? ", from which there is no way on ("
                                           : ", from which there is no way back to older calls (") +
                enumerate(consumers) + "): " + std::string(fallback->user),
            "allow " + them +
                (denial.rule ? " or deny " + them + " with errno 38 (ENOSYS)"
                             : ", deny " + them + " with errno 38 (ENOSYS), or make that the default"));
    }
}

void enosys_trap(Lint& lint) {
    struct Group {
        Lost lost;
        Strings consumers;
    };
    std::vector<Group> groups;
    for (const Consumer consumer : lint.options.consumers) {
        if (!runs_by_runc_alone(consumer)) continue;
        auto lost =
            first_of(lint, consumer, [&](const Answers& answers) { return lost_under_runc(lint, answers); });
        if (!lost) continue;
        auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
            return group.lost.by.path == lost->by.path && group.lost.names == lost->names;
        });
        if (same == groups.end()) same = groups.insert(groups.end(), Group{std::move(*lost), {}});
        same->consumers.emplace_back(to_string(consumer));
    }
    for (const auto& [lost, consumers] : groups)
        lint.report(Severity::warning, lost.by.path,
                    "naming " + lost.by.name + " makes runc (" + enumerate(consumers) + ") answer " +
                        enumerate(lost.names) + " by the default (" +
                        describe(default_decision(lint.profile)) +
                        ") instead of ENOSYS, which it does above the highest number named only",
                    "name " + enumerate(lost.names) + " too: allow, or deny with errno 38 (ENOSYS)");
}

}  // namespace callcensus::checks
