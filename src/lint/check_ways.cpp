// Lists of what is denied, that leave another way open.
#include <algorithm>
#include <cerrno>

#include "lint/checks.hpp"
#include "lint/fallbacks.hpp"
#include "lint/other_ways.hpp"

namespace callcensus::checks {
namespace {

using Strings = std::vector<std::string>;

// A call that a rule denies.
struct Closed {
    std::string name;
    RuleDenial denial;
    bool sometimes = false;  // for some arguments only
};

bool takes_no_arguments(std::string_view call) { return call == "fork" || call == "vfork"; }

std::vector<Closed> closed_by_rules(const Lint& lint, const Answers& answers) {
    std::vector<Closed> closed;
    for (const auto& [name, uses] : lint.uses) {
        const Answer answer = answers.of(name);
        const RuleDenial* const denial = answer.denial();
        if (denial == nullptr || !denial->rule) continue;
        // So that programs go on to the older call, which is the purpose.
        const bool sends_back = denial->decision == Decision{Action::errno_, ENOSYS};
        if (sends_back && find_fallback(name) != nullptr) continue;
        closed.push_back({name, *denial, answer.lets_through});
    }
    return closed;
}

// What is closed and what remains open of it, for one reason.
struct Way {
    Strings closed;
    std::set<std::string> open;
    std::string reason;
    std::string remedy;
    RuleDenial denial;
};

class Open {
  public:
    Open(const Lint& lint, const Answers& answers) : lint_(lint), answers_(answers) {}

    // Of the ways those that are open to whoever is denied the call.
    [[nodiscard]] std::set<std::string> among(const std::vector<std::string_view>& ways,
                                              const Closed& closed) const {
        std::set<std::string> open;
        for (const std::string_view way : ways)
            if (way != closed.name && lint_.exists(way) && answers_.of(way).denials.empty() &&
                !(closed.sometimes && takes_no_arguments(way)))
                open.emplace(way);
        return open;
    }

  private:
    const Lint& lint_;
    const Answers& answers_;
};

void add(std::vector<Way>& found, const Closed& closed, std::set<std::string> open,
         std::string_view reason = {}, std::string_view remedy = {}) {
    if (open.empty()) return;
    const auto same = std::find_if(found.begin(), found.end(), [&](const Way& other) {
        return other.denial.rule == closed.denial.rule && other.reason == reason && other.open == open;
    });
    if (same == found.end())
        found.push_back(
            {{closed.name}, std::move(open), std::string(reason), std::string(remedy), closed.denial});
    else
        same->closed.push_back(closed.name);
}

}  // namespace

void other_ways(Lint& lint) {
    // Where the default denies, what is open was opened on purpose.
    if (lint.denies_by_default() || lint.options.consumers.empty()) return;
    const Answers& answers = lint.answers_for(lint.options.consumers.front());
    const Open open(lint, answers);
    std::vector<Way> found;
    for (const Closed& closed : closed_by_rules(lint, answers)) {
        std::set<std::string> other_forms;
        for (const OtherWays& row : all_other_ways()) {
            if (std::find(row.names.begin(), row.names.end(), closed.name) == row.names.end()) continue;
            auto ways = open.among(row.ways, closed);
            if (row.reason.empty())
                other_forms.merge(ways);
            else
                add(found, closed, std::move(ways), row.reason, row.remedy);
        }
        add(found, closed, std::move(other_forms));
    }
    for (const auto& [closed, ways, reason, remedy, denial] : found) {
        const std::string names = enumerate({ways.begin(), ways.end()});
        lint.report(Severity::note, lint.path_of(denial, closed.front(), "syscalls"),
                    enumerate(closed) + (closed.size() == 1 ? " is" : " are") + " denied, and " + names +
                        (ways.size() == 1 ? " is" : " are") +
                        " open: " + (reason.empty() ? "other forms of the same call" : reason),
                    remedy.empty() ? "deny " + names + " too, or allow only what is needed" : remedy);
    }
}

}  // namespace callcensus::checks
