/// What a profile or recording holds, call by call.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "callcensus/diff.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/recording.hpp"

namespace callcensus {

/// One line of the table.
struct ShownCall {
    std::string call;
    std::vector<Abi> abis;  ///< of the profile's that have the call, or on which it was made
    std::string group;      ///< what happens: "allowed", "denied with EPERM", "called"
    std::string condition;  ///< "if arg0 == 1, with CAP_SYS_ADMIN"; or empty
    std::string why;        ///< the rule's comment; a recording gives no reasons
    std::vector<Use> uses;
    std::vector<CallSite> sites;  ///< of a recording: the first few places that it was made from
    std::uint64_t count = 0;      ///< of a recording; 0 where it was only taken as known
    bool exact = true;
    std::vector<std::pair<std::string, std::uint64_t>> errors;  ///< by errno: how often it failed
    Risk risk;
};

enum class ShowOrder : std::uint8_t { name, count, risk };

/// Every rule as it stands, conditions on the container included.
[[nodiscard]] std::vector<ShownCall> shown_calls(const Profile& profile);
/// All recordings together.
[[nodiscard]] std::vector<ShownCall> shown_calls(std::span<const Recording> recordings);
void sort(std::vector<ShownCall>& calls, ShowOrder order);

/// What else is to be said about the whole, one line each: default, architectures; commands, completeness.
[[nodiscard]] std::vector<std::string> headlines(const Profile& profile);
[[nodiscard]] std::vector<std::string> headlines(std::span<const Recording> recordings);

/// Groups of rows under their headings; with colours for a terminal.
[[nodiscard]] std::string show_text(const std::string& name, const std::vector<std::string>& headlines,
                                    const std::vector<ShownCall>& calls, bool colour);
/// An object for one file.
[[nodiscard]] std::string show_json(const std::string& name, const std::vector<std::string>& headlines,
                                    const std::vector<ShownCall>& calls);

}  // namespace callcensus
