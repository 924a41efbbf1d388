// Docker's and Podman's includes and excludes as cases: all the situations that some rules tell apart, each
// once, so that what rules say can be worked out case by case and be written down as conditions again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "callcensus/meaning.hpp"

namespace callcensus {

/// A set of situations: a product of capabilities had or not, architectures, and a range of kernels.
struct ContextCell {
    std::map<std::string, bool> caps;  ///< those that matter
    std::set<std::string> arches;      ///< those that rules speak of
    bool other_arches = false;         ///< and all others
    KernelVersion from;
    std::optional<KernelVersion> until;  ///< exclusive

    friend bool operator==(const ContextCell&, const ContextCell&) = default;
};

/// Disjoint cells that cover everything; one where the rules have no conditions of this kind. Empty where
/// there are more than a thousand.
[[nodiscard]] std::vector<ContextCell> context_cells(std::span<const Rule* const> rules);

/// A machine of that cell.
[[nodiscard]] Machine representative(const ContextCell& cell);

/// The same situations in fewer cells.
[[nodiscard]] std::vector<ContextCell> united(std::vector<ContextCell> cells);

/// includes and excludes that hold exactly there; of the cells that these rules gave.
struct CellContext {
    Context includes;
    Context excludes;
};
[[nodiscard]] CellContext context_of(const ContextCell& cell, std::span<const Rule* const> rules);

}  // namespace callcensus
