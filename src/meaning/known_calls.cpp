#include "callcensus/known_calls.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "callcensus/meaning.hpp"

namespace callcensus {

SyscallSet known_calls(const Recording& recording) {
    SyscallSet known;
    for (const CallRecord& record : recording.calls) known.insert(record.call);
    for (const Syscall call : recording.assumed) known.insert(call);
    return known;
}

SyscallSet known_calls(std::span<const Recording> recordings) {
    SyscallSet known;
    for (const Recording& recording : recordings) known = known | known_calls(recording);
    return known;
}

SyscallSet known_calls(const Profile& profile) {
    std::map<std::string, bool> let_through;  // by name: in every rule that speaks of it
    for (const Rule& rule : profile.rules) {
        const bool always =
            lets_through(rule.action) && rule.args.empty() && rule.includes.empty() && rule.excludes.empty();
        for (const std::string& name : names_of(rule)) {
            bool& all = let_through.try_emplace(name, true).first->second;
            all = all && always;
        }
    }
    SyscallSet known;
    for (const Abi abi : abis_of(profile, native_abi()))
        for (const auto& [name, always] : let_through)
            if (const auto number = syscall_number(abi, name); always && number) known.insert({abi, *number});
    return known;
}

}  // namespace callcensus
