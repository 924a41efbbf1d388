#include "callcensus/compile.hpp"
#include "callcensus/abi.hpp"

#include <algorithm>
#include <cerrno>

#include "meaning/libseccomp_filter.hpp"
#include "meaning/loading.hpp"
#include "model/argument_rules.hpp"

namespace callcensus {
namespace {

// The answers to a call by its arguments, in tests of our own.
Filter with_own_test(Syscall call, const CallMeaning& meaning, const Decision& otherwise,
                     const Filter& rest) {
    std::vector<ArgumentRule> rules;
    for (const CallMeaning::Part& part : meaning.parts)
        for (ArgumentRule& rule :
             argument_rules(part.arguments, meaning.width, seccomp_action(part.decision)))
            rules.push_back(std::move(rule));
    // A meaning has another default than the profile only where arguments do not matter.
    const Decision& last = meaning.parts.empty() ? meaning.otherwise : otherwise;
    return decide_first(call, rules, seccomp_action(last), rest);
}

tl::unexpected<Error> refused(const Refusal& refusal) {
    const std::string rule = "syscalls[" + std::to_string(refusal.rule) + "]";
    if (refusal.errnum == EEXIST)
        return fail("cannot be loaded: its rule " + rule + " for " + refusal.call +
                        " contradicts an earlier one, and runtimes refuse that",
                    {}, refusal.errnum);
    return fail("cannot be loaded: libseccomp does not take its rule " + rule + " for " + refusal.call, {},
                refusal.errnum);
}

}  // namespace

Result<CompiledFilter> compile(const Profile& profile, const Machine& machine) {
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    const Loading loading = load(profile, machine, *native);
    const std::string no_abi = "libseccomp " + libseccomp_version() + " has no ";
    if (!loading.filter)
        return fail(no_abi + std::string(info(*native).id) + ", or the kernel no such default action");
    if (loading.architectures_error == EDOM)
        return fail("its architectures have different byte orders, which no filter can");
    if (loading.architectures_error)
        return fail("libseccomp does not take its architectures", {}, *loading.architectures_error);
    if (loading.refusal) return refused(*loading.refusal);
    if (loading.endless)
        return fail("makes libseccomp " + libseccomp_version() +
                    " compute without end, and so no runtime starts a container with it: several rules for "
                    "one call, of which one has several conditions and not all are SCMP_CMP_EQ");

    CompiledFilter compiled;
    for (const std::string& token : loading.unknown_architectures)
        compiled.losses.push_back(find_abi_by_token(token) == nullptr ? "the architecture " + token
                                                                      : no_abi + token);
    auto code = loading.filter->code();
    if (!code) return tl::unexpected(code.error());
    auto pfc = loading.filter->pfc();
    if (!pfc) return tl::unexpected(pfc.error());
    compiled.code = std::move(*code);
    compiled.pfc = std::move(*pfc);

    const Decision otherwise = default_decision(profile);
    const auto by_name = rules_by_name(profile, machine);
    for (const Abi abi : abis_of(profile, *native))
        for (const auto& [name, rules] : by_name) {
            const auto number = syscall_number(abi, name);
            if (!number || libseccomp_knows(name)) continue;
            const auto meaning = meaning_of(rules, otherwise, argument_width(abi));
            if (!meaning) return fail(too_complicated(name));
            if (same(*meaning, always(otherwise, meaning->width))) continue;
            compiled.pfc_losses.push_back(name + " on " + std::string(info(abi).id) + ", which libseccomp " +
                                          libseccomp_version() + " does not know");
            compiled.code = with_own_test({abi, *number}, *meaning, otherwise, compiled.code);
        }
    if (compiled.code.size() > BPF_MAXINSNS)
        return fail("takes " + std::to_string(compiled.code.size()) +
                    " instructions, and the kernel no more than " + std::to_string(BPF_MAXINSNS));
    return compiled;
}

}  // namespace callcensus
