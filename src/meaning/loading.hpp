// What a runtime does with a profile before it loads the filter: the calls of libseccomp, in their order.
//
// runc (1.1.5, libcontainer/seccomp/seccomp_linux.go) and crun (1.8.1, src/libcrun/seccomp.c) make the same
// ones: seccomp_init() with the default action, seccomp_arch_add() for each architecture, and for each name
// of each rule in the order of the file seccomp_rule_add_array(). A rule whose action is the default's is
// passed over, a name that libseccomp does not know too; where one argument has several conditions each of
// these is added as a rule. The first call that fails ends it: the container does not start.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"
#include "meaning/libseccomp_filter.hpp"

namespace callcensus {

/// The conditions of the rules that runtimes add for one of the profile.
[[nodiscard]] std::vector<Conditions> conditions_added(const Rule& rule);

/// A rule that libseccomp does not take.
struct Refusal {
    std::size_t rule;  ///< its index in the profile
    std::string call;
    int errnum;  ///< EEXIST: it contradicts an earlier one
};

struct Loading {
    std::unique_ptr<LibseccompFilter> filter;        ///< null where libseccomp does not know the native ABI
    std::vector<std::string> unknown_architectures;  ///< tokens; runtimes refuse the profile for them
    std::optional<int> architectures_error;          ///< errno: EDOM for ABIs of both byte orders
    std::optional<Refusal> refusal;
    /// Whether libseccomp does not come to an end (comes_to_an_end()): no rule is added.
    bool endless = false;
};

/// The calls whose rules libseccomp may compile otherwise than they read, or for ever (compiles_as_read()),
/// those that multiplex others included.
[[nodiscard]] std::set<std::string> calls_compiled_wrong(const Profile& profile, const Machine& machine,
                                                         Abi native);

/// With all rules that apply on the machine, or those for `only`.
[[nodiscard]] Loading load(const Profile& profile, const Machine& machine, Abi native,
                           const std::set<std::string>* only = nullptr);

/// The ABIs of which the filter decides all calls by default, whatever the rules say.
///
/// libseccomp keeps rules for calls that an ABI does not have, and leaves them out of the filter. In 2.5.4
/// the first call that it would write for an ABI is to load the number: where that is one of these, nothing
/// does, and no rule is ever met. It takes a profile whose rules for calls that the ABI has all have
/// conditions; x86_64 without x32 is spared.
[[nodiscard]] std::set<Abi> abis_never_looked_at(const Profile& profile, const Machine& machine, Abi native);

}  // namespace callcensus
