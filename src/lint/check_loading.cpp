// Rules that libseccomp refuses, so that no runtime starts the container, and rules that it never looks at.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "lint/checks.hpp"
#include "meaning/context_cells.hpp"
#include "meaning/loading.hpp"
#include "meaning/speaking_rules.hpp"

namespace callcensus::checks {
namespace {

// Rules meet that are for the same call, or for calls that an ABI makes through the same one.
std::vector<std::set<std::string>> calls_that_meet(const Lint& lint) {
    std::vector<std::set<std::string>> groups(2);
    for (const auto& [name, uses] : lint.uses) {
        if (!libseccomp_knows(name)) continue;
        std::string_view by = is_multiplexer(name) ? std::string_view(name) : std::string_view();
        for (const Abi abi : lint.abis)
            if (const auto through = multiplexed(abi, name)) by = through->call;
        if (by.empty())
            groups.push_back({name});
        else
            groups[by == "ipc" ? 1 : 0].insert(name);
    }
    return groups;
}

std::vector<const Rule*> rules_for(const Lint& lint, const std::set<std::string>& calls) {
    std::set<std::size_t> indexes;
    for (const std::string& call : calls)
        for (const Lint::Use& use : lint.uses.at(call)) indexes.insert(use.rule);
    std::vector<const Rule*> rules;
    for (const std::size_t index : indexes) rules.push_back(&lint.profile.rules[index]);
    return rules;
}

// Docker and Podman look at where the container runs, everybody else reads all rules.
std::vector<Machine> situations(const Lint& lint, const std::vector<const Rule*>& rules) {
    std::vector<Machine> machines;
    for (const ContextCell& cell : context_cells(rules)) machines.push_back(representative(cell));
    if (machines.empty()) machines.push_back({std::string(info(lint.options.native).go_name), {}, {}});
    return machines;
}

// Whose rules for the calls are refused, in any of the situations.
std::map<std::size_t, Refusal> refusals(const Lint& lint, const Profile& profile,
                                        const std::vector<std::set<std::string>>& groups) {
    std::set<Abi> natives;
    for (const Abi abi : lint.abis) natives.insert(info(abi).native);
    std::map<std::size_t, Refusal> found;
    for (const std::set<std::string>& calls : groups) {
        const auto rules = rules_for(lint, calls);
        // Through a multiplexer those without conditions have one.
        const bool none_has_conditions =
            std::all_of(rules.begin(), rules.end(), [](const Rule* rule) { return rule->args.empty(); });
        if (none_has_conditions && calls.size() < 2 && &calls != &groups[0] && &calls != &groups[1]) continue;
        for (const Machine& machine : situations(lint, rules))
            for (const Abi native : natives) {
                const Loading loading = load(profile, machine, native, &calls);
                if (loading.refusal) found.emplace(loading.refusal->rule, *loading.refusal);
            }
    }
    return found;
}

}  // namespace

void refused(Lint& lint) {
    const auto groups = calls_that_meet(lint);
    // What else is said of a file that cannot be loaded is said where it is.
    const auto is_said = [&](const Lint::Use& use) {
        const Place place = lint.text.place_of(use.path);
        return std::any_of(lint.findings.begin(), lint.findings.end(), [&](const Finding& finding) {
            return finding.code == "CC302" && finding.severity == Severity::error && finding.place == place;
        });
    };
    for (const auto& [rule, refusal] : refusals(lint, lint.profile, groups)) {
        const auto& uses = lint.uses.find(refusal.call)->second;
        const auto use = std::find_if(uses.begin(), uses.end(),
                                      [&, index = rule](const Lint::Use& it) { return it.rule == index; });
        if (use == uses.end() || is_said(*use)) continue;
        std::string_view by;
        for (const Abi abi : lint.abis)
            if (const auto through = multiplexed(abi, refusal.call)) by = through->call;
        const std::string reason =
            refusal.errnum == EEXIST ? (by.empty() ? "it answers what an earlier rule answers otherwise"
                                                   : "for " + std::string(by) +
                                                         ", by which 32-bit programs make the call, it says "
                                                         "what an earlier rule says otherwise")
                                     : std::string(std::strerror(refusal.errnum));
        lint.report(Severity::error, use->path,
                    "runtimes refuse the file for this rule for " + refusal.call + ": " + reason,
                    by.empty()
                        ? "make the conditions of the rules exclude each other"
                        : "name " + std::string(by) + " in a rule without conditions before these, or " +
                              "leave the 32-bit architecture out");
    }
}

}  // namespace callcensus::checks
