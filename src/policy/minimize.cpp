#include "callcensus/minimize.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>

#include "base/words.hpp"
#include "callcensus/meaning.hpp"
#include "meaning/runtime_calls.hpp"
#include "meaning/unseen_calls.hpp"

namespace callcensus {
namespace {

using Names = std::set<std::string>;

struct FateInfo {
    Fate fate;
    std::string_view id;
};
constexpr std::array<FateInfo, 11> fates{{
    {Fate::unused, "unused"},
    {Fate::dispensable, "dispensable"},
    {Fate::needed, "needed"},
    {Fate::sometimes, "sometimes"},
    {Fate::undecided, "undecided"},
    {Fate::by_request, "by-request"},
    {Fate::other_machine, "other-machine"},
    {Fate::no_such_call, "no-such-call"},
    {Fate::runtime, "runtime"},
    {Fate::unseen, "unseen"},
    {Fate::answered_ahead, "answered-ahead"},
}};

template <class List>
bool has(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

Names minus(const Names& names, const Names& others) {
    Names rest;
    std::set_difference(names.begin(), names.end(), others.begin(), others.end(),
                        std::inserter(rest, rest.end()));
    return rest;
}

std::vector<std::string> those_in(const std::vector<std::string>& names, const Names& set) {
    std::vector<std::string> those;
    std::copy_if(names.begin(), names.end(), std::back_inserter(those),
                 [&](const std::string& name) { return set.count(name) != 0; });
    return those;
}

Profile without(const Profile& profile, const Names& removed) {
    Profile smaller = profile;
    smaller.rules.clear();
    for (Rule rule : profile.rules) {
        if (lets_through(rule.action)) {
            const bool named = !rule.name.empty() || !rule.names.empty();
            if (removed.count(rule.name) != 0) rule.name.clear();
            std::erase_if(rule.names, [&](const std::string& name) { return removed.count(name) != 0; });
            if (named && rule.name.empty() && rule.names.empty()) continue;
        }
        smaller.rules.push_back(std::move(rule));
    }
    return smaller;
}

// What the profile lets through, and whether a rule that does so applies on the machine.
std::map<std::string, bool> let_through_by(const Profile& profile, const Machine& machine) {
    std::map<std::string, bool> names;
    for (const Rule& rule : profile.rules) {
        if (!lets_through(rule.action)) continue;
        for (const std::string& name : names_of(rule)) {
            bool& applicable = names.try_emplace(name, false).first->second;
            applicable = applicable || applies(rule, machine);
        }
    }
    return names;
}

// Looks for calls to do without. At any time a candidate is removed (the command has succeeded without all of
// these together), needed, or neither yet.
class Search {
  public:
    Search(const Profile& profile, Names candidates, const MinimizeOptions& options, const RunTrial& run)
        : profile_(profile), options_(options), run_(run), open_(std::move(candidates)) {}

    Result<Minimized::End> search() {
        auto answer = try_without({});
        if (answer && *answer == Answer::unstable)
            return fail("the command does not succeed under the whole profile: " +
                        (denied_.empty() ? std::string("nothing was denied, so it fails by itself")
                                         : "it was denied " + listed(denied_)));
        if (answer && *answer == Answer::succeeds) answer = remove_what_is_not_made();
        while (answer && *answer == Answer::succeeds && !open_.empty()) {
            answer = try_without(open_);
            if (answer && *answer == Answer::fails) answer = decide_denied();
        }
        // Once more, for chance.
        if (answer && *answer == Answer::succeeds) answer = try_without({});
        if (!answer) return tl::unexpected(answer.error());
        return *answer == Answer::succeeds      ? Minimized::End::complete
               : *answer == Answer::out_of_runs ? Minimized::End::out_of_runs
               : *answer == Answer::interrupted ? Minimized::End::interrupted
                                                : Minimized::End::unstable;
    }

    [[nodiscard]] const Names& removed() const { return removed_; }
    [[nodiscard]] std::size_t runs() const { return runs_; }

    [[nodiscard]] CallFate fate_of(const std::string& candidate) const {
        if (removed_.count(candidate) != 0)
            return {candidate, made_.count(candidate) != 0 ? Fate::dispensable : Fate::unused, 0};
        const auto kept = kept_.find(candidate);
        return kept != kept_.end() ? kept->second : CallFate{candidate, Fate::undecided, 0};
    }

  private:
    enum class Answer : std::uint8_t { succeeds, fails, out_of_runs, interrupted, unstable };

    // Without these besides what is removed already, which they join where the command succeeds. Where it
    // fails, denied_ are those of them that may be why.
    Result<Answer> try_without(const Names& more) {
        for (unsigned times = 0; times < options_.repeat;) {
            Names all = removed_;
            all.insert(more.begin(), more.end());
            if (runs_ == options_.max_runs) return Answer::out_of_runs;
            ++runs_;
            auto trial = run_(without(profile_, all), all);
            if (!trial) return tl::unexpected(trial.error());
            if (trial->interrupted) return Answer::interrupted;
            made_.insert(trial->made.begin(), trial->made.end());
            if (trial->succeeded) {
                ++times;
                continue;
            }
            made_.insert(trial->denied.begin(), trial->denied.end());
            denied_ = std::move(trial->denied);
            const std::vector<std::string> missed = those_in(denied_, removed_);
            if (std::vector<std::string> suspects = those_in(denied_, more); !suspects.empty()) {
                denied_ = std::move(suspects);
                return Answer::fails;
            }
            if (missed.empty()) return Answer::unstable;
            // Without them it has succeeded before: by chance, then.
            for (const std::string& name : missed) {
                removed_.erase(name);
                keep(name, Fate::sometimes, runs_);
            }
            times = 0;
        }
        removed_.insert(more.begin(), more.end());
        open_ = minus(open_, more);
        return Answer::succeeds;
    }

    // Most of a profile goes in one run, which as a rule ends as the first one did. Taken away first, it
    // leaves what the program does of itself rather than what it falls back to (clone after clone3).
    Result<Answer> remove_what_is_not_made() {
        auto answer = try_without(minus(open_, made_));
        while (answer && *answer == Answer::fails) answer = try_without(minus(open_, made_));
        return answer;
    }

    // One at least of what the last run was denied is needed. A program that ends at the first denial that it
    // cannot bear was denied that last of all, or nearly; one that goes on and fails in the end (a test
    // suite) is denied many, of which any may be needed.
    Result<Answer> decide_denied() {
        std::vector<std::string> rest = denied_;
        std::size_t group = 1;
        auto answer = find_needed(1);
        while (answer && *answer == Answer::succeeds) {
            std::erase_if(rest, [&](const std::string& name) { return open_.count(name) == 0; });
            if (rest.empty()) break;
            const auto end = rest.begin() + static_cast<std::ptrdiff_t>(std::min(group, rest.size()));
            answer = try_without({rest.begin(), end});
            group *= 2;
            if (!answer || *answer != Answer::fails) continue;
            answer = find_needed(denied_.size());
            group = std::max<std::size_t>(1, group / 4);
        }
        return answer;
    }

    // Finds one that is needed of what the last run was denied. Spares the last `step` of them, then twice as
    // many, at most half.
    Result<Answer> find_needed(std::size_t step) {
        std::vector<std::string> suspects = denied_;
        std::size_t run = runs_;
        for (; suspects.size() > 1; step *= 2) {
            const std::size_t spared = std::min(step, suspects.size() / 2);
            const auto end = suspects.end() - static_cast<std::ptrdiff_t>(spared);
            const auto answer = try_without({suspects.begin(), end});
            if (answer && *answer == Answer::succeeds) {
                suspects.erase(suspects.begin(), end);
            } else if (answer && *answer == Answer::fails) {
                suspects = denied_;
                run = runs_;
            } else {
                return answer;
            }
        }
        keep(suspects.front(), Fate::needed, run);
        return Answer::succeeds;
    }

    void keep(const std::string& name, Fate fate, std::size_t run) {
        kept_[name] = {name, fate, run};
        open_.erase(name);
    }

    const Profile& profile_;
    const MinimizeOptions& options_;
    const RunTrial& run_;
    std::size_t runs_ = 0;
    Names open_;
    Names removed_;
    std::map<std::string, CallFate> kept_;
    Names made_;                       // in any run, let through or not
    std::vector<std::string> denied_;  // by the last run that has failed
};

}  // namespace

bool is_removed(Fate fate) { return fate == Fate::unused || fate == Fate::dispensable; }

std::string_view id(Fate fate) { return fates.at(static_cast<std::size_t>(fate)).id; }

std::vector<std::string> names_in_rules(Syscall call, const Arguments& arguments) {
    const std::string own = syscall_name(call);
    if (own.empty()) return {};
    std::vector<std::string> names{own};
    if (!is_multiplexer(own)) return names;
    for (const std::string& name : all_syscall_names())
        if (const auto by = multiplexed(call.abi, name);
            by && by->call == own && by->selector == arguments[0])
            names.push_back(name);
    return names;
}

Result<Minimized> minimize(const Profile& profile, const Machine& machine, const MinimizeOptions& options,
                           const RunTrial& run) {
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    if (lets_through(profile.default_action))
        return fail("lets through what it does not name (" + std::string(token(profile.default_action)) +
                    " by default): there is nothing to take away");
    const std::set<Abi> abis = abis_of(profile, *native);
    const auto of_runtime =
        options.runtime == RuntimeSet::none
            ? std::vector<std::string>{}
            : runtime_calls(options.runtime, {.exec = options.container_exec,
                                              .no_new_privileges = options.no_new_privileges,
                                              .denial_kills = denial_kills(profile.default_action)});

    Minimized minimized;
    Names candidates;
    const auto names = let_through_by(profile, machine);
    for (const std::string& name : options.keep)
        if (names.count(name) == 0)
            return fail("the profile does not let " + name + " through: it cannot be kept");
    for (const auto& [name, applicable] : names) {
        const Fate fate = options.keep.count(name) != 0     ? Fate::by_request
                          : !applicable                     ? Fate::other_machine
                          : !can_be_made_on_any(abis, name) ? Fate::no_such_call
                          : has(of_runtime, name)           ? Fate::runtime
                          : has(unseen_calls, name)         ? Fate::unseen
                          : has(vdso_calls, name)           ? Fate::answered_ahead
                                                            : Fate::undecided;
        minimized.calls.push_back({name, fate, 0});
        if (fate == Fate::undecided) candidates.insert(name);
    }

    Search search(profile, std::move(candidates), options, run);
    const auto end = search.search();
    if (!end) return tl::unexpected(end.error());
    for (CallFate& call : minimized.calls)
        if (call.fate == Fate::undecided) call = search.fate_of(call.name);
    minimized.profile = without(profile, search.removed());
    minimized.runs = search.runs();
    minimized.end = *end;
    return minimized;
}

}  // namespace callcensus
