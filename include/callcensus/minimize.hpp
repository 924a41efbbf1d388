/// Which calls of a profile a command's success needs, found by running it under smaller profiles.
///
///     const auto minimized = minimize(profile, this_machine(), {}, run_under);
///     minimized->profile;   // proven by the last runs: the command has succeeded under it
///
/// A failed run tells that one of the calls that it was denied is needed, for what a program has never asked
/// for it cannot miss. So what the first run does not make goes in one further run; then a run without
/// everything that is not decided yet either succeeds, or ends soon at a call that is needed. Only where it
/// was denied several are these halved. That takes about as many runs as calls are needed, and twice as many
/// where the program also tries calls that it can do without. No search that shows of each call that it is
/// needed takes fewer than one for each.
///
/// Limits: what is found is what these runs needed. A command that does other things on other days needs the
/// calls for these, too (MinimizeOptions::keep), and one that fails now and then must be repeated. Where it
/// does harm to allow a call (the command succeeds without A and B, and fails without B alone) the result
/// still succeeds, but there may be a smaller one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "callcensus/abi.hpp"
#include "callcensus/argument_set.hpp"
#include "callcensus/derive.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// One run of the command, under a filter that was really loaded.
struct Trial {
    bool succeeded = false;
    std::set<std::string> made;       ///< every call that it made, let through or not
    std::vector<std::string> denied;  ///< those of them that were not let through, by their last time
    bool interrupted = false;         ///< somebody wants the search to end: nothing else counts
};

/// Runs the command under `candidate`, which is the profile without the calls of `without`. An error ends the
/// search: it is for what keeps the command from being run, not for a command that fails.
using RunTrial = std::function<Result<Trial>(const Profile& candidate, const std::set<std::string>& without)>;

struct MinimizeOptions {
    /// What these runtimes need is kept: it is called before the command, out of the runs' sight.
    RuntimeSet runtime = RuntimeSet::any;
    bool container_exec = true;      ///< as DeriveOptions has it
    bool no_new_privileges = false;  ///< as DeriveOptions has it
    std::set<std::string> keep;      ///< calls not to be tried
    unsigned repeat = 1;             ///< a trial has succeeded when the command has so many times in a row
    std::size_t max_runs = 500;
};

/// What has become of a call that the profile lets through.
enum class Fate : std::uint8_t {
    unused,         ///< removed: no run has made it
    dispensable,    ///< removed: the command succeeds although it is denied, or does without after others are
    needed,         ///< kept: the command fails without
    sometimes,      ///< kept: the command has failed without, after it had succeeded without
    undecided,      ///< kept: the search has ended before it was known
    by_request,     ///< kept, not tried: MinimizeOptions::keep
    other_machine,  ///< kept, not tried: no rule that lets it through applies on this machine
    no_such_call,   ///< kept, not tried: no ABI of the profile on this machine has it
    runtime,        ///< kept, not tried: container runtimes need it
    unseen,         ///< kept, not tried: it happens where it is not seen, or only sometimes (rt_sigreturn)
    answered_ahead,  ///< kept, not tried: the vDSO may answer it here, and the kernel elsewhere
};
[[nodiscard]] bool is_removed(Fate fate);
/// "unused" and the like, for programs.
[[nodiscard]] std::string_view id(Fate fate);

struct CallFate {
    std::string name;
    Fate fate = Fate::undecided;
    std::size_t run = 0;  ///< of a needed one: the run that has failed without it, from 1
};

struct Minimized {
    enum class End : std::uint8_t {
        complete,     ///< every call is decided, and the last run has succeeded under the result
        out_of_runs,  ///< MinimizeOptions::max_runs
        interrupted,  ///< Trial::interrupted
        unstable,     ///< the last run failed although nothing that was removed was denied
    };
    Profile profile;              ///< the smallest under which the command has succeeded
    std::vector<CallFate> calls;  ///< every name that the profile lets through somewhere, sorted
    std::size_t runs = 0;
    End end = End::complete;
};

/// The names by which rules speak of a call: its own and, of socketcall(1, …) on i386, socket
/// (multiplexed()).
[[nodiscard]] std::vector<std::string> names_in_rules(Syscall call, const Arguments& arguments);

/// Fails where the command does not succeed under the whole profile, where the profile lets through what it
/// does not name, where `keep` names what it does not let through, and where a run cannot be made.
[[nodiscard]] Result<Minimized> minimize(const Profile& profile, const Machine& machine,
                                         const MinimizeOptions& options, const RunTrial& run);

}  // namespace callcensus
