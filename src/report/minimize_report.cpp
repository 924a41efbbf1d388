#include "callcensus/minimize_report.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/words.hpp"
#include "format/json_text.hpp"

namespace callcensus {
namespace {

struct Heading {
    Fate fate;
    std::string_view text;
};
// In the order in which they are told. What no run has made is only counted: it is most of a profile.
constexpr std::array headings{
    Heading{Fate::needed, "needed"},
    Heading{Fate::sometimes, "needed in some runs"},
    Heading{Fate::dispensable, "removed, although made: the command succeeds without"},
    Heading{Fate::undecided, "kept, not decided"},
    Heading{Fate::runtime, "kept, not tried: container runtimes need it"},
    Heading{Fate::unseen, "kept, not tried: happens unseen"},
    Heading{Fate::answered_ahead, "kept, not tried: answered by the vDSO here, by the kernel elsewhere"},
    Heading{Fate::no_such_call, "kept, not tried: no call of this machine"},
    Heading{Fate::other_machine, "kept, not tried: allowed for other containers or machines only"},
    Heading{Fate::by_request, "kept, not tried: by request"},
};

std::string_view id(Minimized::End end) {
    switch (end) {
        case Minimized::End::complete:
            return "complete";
        case Minimized::End::out_of_runs:
            return "out-of-runs";
        case Minimized::End::interrupted:
            return "interrupted";
        case Minimized::End::unstable:
            break;
    }
    return "unstable";
}

std::string_view warning(Minimized::End end) {
    switch (end) {
        case Minimized::End::complete:
            return "";
        case Minimized::End::out_of_runs:
            return "the runs were used up before everything was decided: --max-runs allows more";
        case Minimized::End::interrupted:
            return "interrupted before everything was decided";
        case Minimized::End::unstable:
            break;
    }
    return "the last run failed although nothing that was removed was denied: the command does not always succeed, "
           "or takes longer than its timeout";
}

std::map<Fate, std::vector<std::string>> by_fate(const Minimized& minimized) {
    std::map<Fate, std::vector<std::string>> names;
    for (const CallFate& call : minimized.calls) names[call.fate].push_back(call.name);
    return names;
}

}  // namespace

std::vector<std::string> minimize_lines(const Minimized& minimized) {
    auto names = by_fate(minimized);
    const std::size_t removed = names[Fate::unused].size() + names[Fate::dispensable].size();
    std::vector<std::string> lines{fmt::format("{} of {} calls are left after {} runs; {} were never made",
                                               minimized.calls.size() - removed, minimized.calls.size(),
                                               minimized.runs, names[Fate::unused].size())};
    for (const auto& [fate, text] : headings)
        if (const auto& list = names[fate]; !list.empty())
            lines.push_back(fmt::format("{}: {}", text, listed(list)));
    if (const auto text = warning(minimized.end); !text.empty())
        lines.push_back("warning: " + std::string(text));
    return lines;
}

std::string minimize_json(const Minimized& minimized) {
    using Json = nlohmann::ordered_json;
    Json calls = Json::array();
    for (const CallFate& call : minimized.calls) {
        Json entry{{"name", call.name}, {"kept", !is_removed(call.fate)}, {"fate", id(call.fate)}};
        if (call.run != 0) entry["run"] = call.run;
        calls.push_back(std::move(entry));
    }
    const Json object{{"end", id(minimized.end)}, {"runs", minimized.runs}, {"calls", std::move(calls)}};
    return json_text(object);
}

}  // namespace callcensus
