// The rules that have a say about one call on one ABI, in the order in which they are asked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "callcensus/machine.hpp"
#include "callcensus/profile.hpp"

namespace callcensus {

struct SpeakingRule {
    std::size_t index;  ///< in the profile
    Rule rule;          ///< as it is for the call: with a selector where the call is a multiplexer
    bool own;           ///< speaks of the call itself, not of what it is the multiplexer of
};

/// In the order in which runtimes add them; those of a multiplexer stand where the profile names it or what
/// it is the multiplexer of.
[[nodiscard]] std::vector<SpeakingRule> speaking_rules(const Profile& profile, Abi abi,
                                                       const std::string& name);
/// Those that apply on the machine and say something else than the default: the others are dropped by every
/// runtime.
[[nodiscard]] std::vector<SpeakingRule> speaking_rules(const Profile& profile, const Machine& machine,
                                                       Abi abi, const std::string& name);

}  // namespace callcensus
