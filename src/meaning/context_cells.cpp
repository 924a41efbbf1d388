#include "meaning/context_cells.hpp"

#include <algorithm>

namespace callcensus {
namespace {

constexpr std::size_t max_cells = 1024;

// What the rules tell apart.
struct Distinctions {
    std::set<std::string> caps;
    std::set<std::string> arches;
    std::set<KernelVersion> kernels;
};

Distinctions distinctions(std::span<const Rule* const> rules) {
    Distinctions all;
    for (const Rule* rule : rules)
        for (const Context* context : {&rule->includes, &rule->excludes}) {
            all.caps.insert(context->caps.begin(), context->caps.end());
            all.arches.insert(context->arches.begin(), context->arches.end());
            if (const auto version = read_kernel_version(context->min_kernel)) all.kernels.insert(*version);
        }
    return all;
}

// One cell for both, where they differ in one respect only.
std::optional<ContextCell> joined(const ContextCell& a, const ContextCell& b) {
    ContextCell both = a;
    if (a.arches == b.arches && a.other_arches == b.other_arches && a.caps == b.caps) {
        const bool a_first = a.from <= b.from;
        const ContextCell& earlier = a_first ? a : b;
        const ContextCell& later = a_first ? b : a;
        if (earlier.until != later.from) return std::nullopt;
        both.from = earlier.from;
        both.until = later.until;
        return both;
    }
    if (a.from != b.from || a.until != b.until) return std::nullopt;
    if (a.caps == b.caps) {
        both.arches.insert(b.arches.begin(), b.arches.end());
        both.other_arches = a.other_arches || b.other_arches;
        return both;
    }
    if (a.arches != b.arches || a.other_arches != b.other_arches || a.caps.size() != b.caps.size())
        return std::nullopt;
    std::optional<std::string> differing;
    for (const auto& [cap, had] : a.caps) {
        const auto other = b.caps.find(cap);
        if (other == b.caps.end()) return std::nullopt;
        if (other->second == had) continue;
        if (differing) return std::nullopt;
        differing = cap;
    }
    if (!differing) return std::nullopt;
    both.caps.erase(*differing);
    return both;
}

std::string text(const KernelVersion& version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace

std::vector<ContextCell> context_cells(std::span<const Rule* const> rules) {
    const Distinctions all = distinctions(rules);
    ContextCell everything;
    everything.arches = all.arches;
    everything.other_arches = true;
    std::vector<ContextCell> cells{everything};
    const auto split = [&](auto&& parts) {
        std::vector<ContextCell> finer;
        for (const ContextCell& cell : cells) parts(cell, finer);
        cells = std::move(finer);
    };
    for (const std::string& cap : all.caps) {
        split([&](const ContextCell& cell, std::vector<ContextCell>& finer) {
            for (const bool had : {false, true}) {
                finer.push_back(cell);
                finer.back().caps[cap] = had;
            }
        });
        if (cells.size() > max_cells) return {};
    }
    if (!all.arches.empty())
        split([&](const ContextCell& cell, std::vector<ContextCell>& finer) {
            for (const std::string& arch : all.arches) {
                finer.push_back(cell);
                finer.back().arches = {arch};
                finer.back().other_arches = false;
            }
            finer.push_back(cell);
            finer.back().arches.clear();
        });
    split([&](const ContextCell& cell, std::vector<ContextCell>& finer) {
        ContextCell part = cell;
        for (const KernelVersion& version : all.kernels) {
            part.until = version;
            finer.push_back(part);
            part.from = version;
        }
        part.until.reset();
        finer.push_back(part);
    });
    if (cells.size() > max_cells) return {};
    return cells;
}

Machine representative(const ContextCell& cell) {
    Machine machine;
    // No machine's name, where none of those that rules speak of is meant.
    machine.arch = cell.arches.empty() ? "other" : *cell.arches.begin();
    for (const auto& [cap, had] : cell.caps)
        if (had) machine.caps.insert(cap);
    machine.kernel = cell.from;
    return machine;
}

std::vector<ContextCell> united(std::vector<ContextCell> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
        for (std::size_t j = 0; j < cells.size(); ++j) {
            if (i == j) continue;
            const auto both = joined(cells[i], cells[j]);
            if (!both) continue;
            cells[std::min(i, j)] = *both;
            cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(std::max(i, j)));
            i = static_cast<std::size_t>(-1);  // from the beginning: others may join with the larger one
            break;
        }
    return cells;
}

CellContext context_of(const ContextCell& cell, std::span<const Rule* const> rules) {
    const Distinctions all = distinctions(rules);
    CellContext context;
    for (const auto& [cap, had] : cell.caps) (had ? context.includes : context.excludes).caps.push_back(cap);
    if (cell.other_arches) {
        std::set_difference(all.arches.begin(), all.arches.end(), cell.arches.begin(), cell.arches.end(),
                            std::back_inserter(context.excludes.arches));
    } else {
        context.includes.arches.assign(cell.arches.begin(), cell.arches.end());
    }
    if (cell.from != KernelVersion{}) context.includes.min_kernel = text(cell.from);
    if (cell.until) context.excludes.min_kernel = text(*cell.until);
    return context;
}

}  // namespace callcensus
