#include "callcensus/compile.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "base/unique_fd.hpp"
#include "bpf/filter.hpp"
#include "model/argument_rules.hpp"

namespace callcensus {
namespace {

using SeccompContext = std::unique_ptr<void, decltype(&seccomp_release)>;

std::uint32_t seccomp_action(const Decision& decision) {
    switch (decision.action) {
        case Action::allow:
            return SCMP_ACT_ALLOW;
        case Action::errno_:
            return SCMP_ACT_ERRNO(decision.value);
        case Action::kill:
        case Action::kill_thread:
            return SCMP_ACT_KILL_THREAD;
        case Action::kill_process:
            return SCMP_ACT_KILL_PROCESS;
        case Action::trap:
            return SCMP_ACT_TRAP;
        case Action::trace:
            return SCMP_ACT_TRACE(decision.value);
        case Action::log:
            return SCMP_ACT_LOG;
        case Action::notify:
            return SCMP_ACT_NOTIFY;
    }
    return SCMP_ACT_KILL_PROCESS;
}

scmp_compare comparison(const std::string& op) {
    static const std::map<std::string, scmp_compare> operators{{"SCMP_CMP_NE", SCMP_CMP_NE},
                                                               {"SCMP_CMP_LT", SCMP_CMP_LT},
                                                               {"SCMP_CMP_LE", SCMP_CMP_LE},
                                                               {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                                                               {"SCMP_CMP_GE", SCMP_CMP_GE},
                                                               {"SCMP_CMP_GT", SCMP_CMP_GT},
                                                               {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
    return operators.at(op);
}

// A decision other than the default, for arguments that meet the conditions.
struct CallRule {
    Decision decision;
    Conditions conditions;
};

// The profile's default is `by_default`: a meaning has another one only where arguments do not matter.
std::vector<CallRule> call_rules(const CallMeaning& meaning, const Decision& by_default) {
    if (meaning.otherwise != by_default) return {{meaning.otherwise, {}}};
    std::vector<CallRule> rules;
    for (const CallMeaning::Part& part : meaning.parts)
        for (Conditions& conditions : conditions_of(part.arguments, meaning.width))
            rules.push_back({part.decision, std::move(conditions)});
    return rules;
}

bool compiles_as_read(const std::vector<CallRule>& rules) {
    std::vector<Conditions> conditions;
    for (const CallRule& rule : rules) conditions.push_back(rule.conditions);
    return compiles_as_read(std::span<const Conditions>(conditions));
}

Result<void> add_rule(scmp_filter_ctx context, int number, const std::string& name, const CallRule& rule) {
    std::vector<scmp_arg_cmp> conditions;
    for (const ArgumentCondition& condition : rule.conditions)
        conditions.push_back({condition.index, comparison(condition.op), condition.value,
                              condition.op == "SCMP_CMP_MASKED_EQ" ? condition.value_two : 0});
    const int result = seccomp_rule_add_array(context, seccomp_action(rule.decision), number,
                                              static_cast<unsigned>(conditions.size()), conditions.data());
    if (result < 0) return fail("libseccomp does not take a rule for " + name, {}, -result);
    return {};
}

// A call that our own code tests before libseccomp's.
struct OwnTest {
    Syscall call;
    std::vector<ArgumentRule> rules;
};

OwnTest own_test(Syscall call, const std::vector<CallRule>& rules) {
    OwnTest test{call, {}};
    for (const CallRule& rule : rules)
        test.rules.push_back(
            argument_rule(rule.conditions, argument_width(call.abi), seccomp_action(rule.decision)));
    return test;
}

Result<std::string> exported(scmp_filter_ctx context, int (*writer)(const scmp_filter_ctx, int)) {
    const UniqueFd file(::memfd_create("callcensus filter", MFD_CLOEXEC));
    if (file.get() < 0) return fail("no memory for the filter", {}, errno);
    if (const int result = writer(context, file.get()); result < 0)
        return fail("libseccomp cannot write the filter", {}, -result);
    std::string text;
    text.resize(static_cast<std::size_t>(std::max<off_t>(::lseek(file.get(), 0, SEEK_END), 0)));
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count =
            ::pread(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail("the filter cannot be read back", {}, errno);
        done += static_cast<std::size_t>(count);
    }
    return text;
}

// libseccomp's filter of one ABI, or nullptr where it does not know the ABI.
SeccompContext context_of(const AbiInfo& abi, const Decision& otherwise) {
    SeccompContext context(seccomp_init(seccomp_action(otherwise)), &seccomp_release);
    if (!context || abi.scmp_arch == seccomp_arch_native()) return context;
    if (seccomp_arch_add(context.get(), abi.scmp_arch) < 0 ||
        seccomp_arch_remove(context.get(), seccomp_arch_native()) < 0)
        context.reset();
    return context;
}

}  // namespace

Result<CompiledFilter> compile(const Profile& profile, const Machine& machine) {
    const auto native = native_abi_of(machine);
    if (!native) return tl::unexpected(native.error());
    const Decision otherwise = default_decision(profile);
    const auto by_name = rules_by_name(profile, machine);
    const auto meaning = meaning_of(profile, machine);
    if (!meaning) return tl::unexpected(meaning.error());

    CompiledFilter compiled;
    for (const std::string& token : resolve(profile, machine).architectures)
        if (find_abi_by_token(token) == nullptr) compiled.losses.push_back("the architecture " + token);
    std::vector<OwnTest> own_tests;
    SeccompContext whole(nullptr, &seccomp_release);
    // One ABI at a time, so that conditions are worked out for its width, and the native one of this machine
    // first or not at all: libseccomp begins with it.
    for (const Abi abi : abis_of(profile, *native)) {
        const ArgumentWidth width = argument_width(abi);
        SeccompContext context = context_of(info(abi), otherwise);
        if (!context) {
            compiled.losses.push_back("libseccomp " + libseccomp_version() + " has no " +
                                      std::string(info(abi).id) + ", or the kernel no such default action");
            continue;
        }
        const auto& of_abi = meaning->calls.at(abi);
        // libseccomp makes rules for socketcall of those for socket(). Where any of these or of its own is
        // not a plain permission it is the order in which they came that would decide, or their number; and
        // where the ABI has the call in no other way libseccomp 2.5.4 leaves a test of its pseudo-number in
        // the filter, before which it may forget to load the number of the call.
        const auto are_plain = [](const std::vector<const Rule*>& rules) {
            return std::all_of(rules.begin(), rules.end(), [](const Rule* rule) {
                return lets_through(rule->action) && rule->args.empty();
            });
        };
        std::set<std::string> multiplexers;
        for (const auto& [name, rules] : by_name) {
            const auto by = multiplexed(abi, name);
            if (!by) continue;
            const auto own = by_name.find(std::string(by->call));
            if (own != by_name.end() ? !are_plain(own->second)
                                     : !syscall_number(abi, name) || !are_plain(rules))
                multiplexers.emplace(by->call);
        }
        for (const std::string& name : multiplexers) {
            compiled.pfc_losses.push_back(name + " on " + std::string(info(abi).id) +
                                          ", which callcensus decides before libseccomp's code");
            own_tests.push_back(
                own_test({abi, *syscall_number(abi, name)}, call_rules(of_abi.at(name), otherwise)));
        }
        for (const auto& [name, rules] : by_name) {
            // Nor those of other ABIs, for the same reason (seen with socketcall on x86_64).
            const auto own_number = syscall_number(abi, name);
            if (!own_number || multiplexers.count(name) != 0) continue;
            const auto call = meaning_of(rules, otherwise, width);
            if (!call) return fail(too_complicated(name));
            const auto of_call = call_rules(*call, otherwise);
            const int number = seccomp_syscall_resolve_name(name.c_str());
            if (number == __NR_SCMP_ERROR || !compiles_as_read(of_call)) {
                compiled.pfc_losses.push_back(
                    name + " on " + std::string(info(abi).id) + ", which libseccomp " + libseccomp_version() +
                    (number == __NR_SCMP_ERROR ? " does not know" : " would not compile as it reads"));
                own_tests.push_back(own_test({abi, *own_number}, of_call));
                continue;
            }
            for (const CallRule& rule : of_call)
                if (const auto added = add_rule(context.get(), number, name, rule); !added)
                    return tl::unexpected(added.error());
        }
        if (!whole) {
            whole = std::move(context);
        } else if (const int result = seccomp_merge(whole.get(), context.get()); result < 0) {
            return fail(result == -EDOM ? "its architectures have different byte orders, which no filter can"
                                        : "libseccomp cannot unite the architectures",
                        {}, result == -EDOM ? 0 : -result);
        } else {
            static_cast<void>(context.release());  // the other one owns it now
        }
    }
    if (!whole) return fail("libseccomp knows none of its architectures or not its default action");

    const auto code = exported(whole.get(), &seccomp_export_bpf);
    if (!code) return tl::unexpected(code.error());
    compiled.code.resize(code->size() / sizeof(sock_filter));
    std::copy_n(code->data(), compiled.code.size() * sizeof(sock_filter),
                reinterpret_cast<char*>(compiled.code.data()));
    for (const OwnTest& test : own_tests)
        compiled.code = decide_first(test.call, test.rules, seccomp_action(otherwise), compiled.code);
    if (compiled.code.size() > BPF_MAXINSNS)
        return fail("takes " + std::to_string(compiled.code.size()) +
                    " instructions, and the kernel no more than " + std::to_string(BPF_MAXINSNS));
    const auto pfc = exported(whole.get(), &seccomp_export_pfc);
    if (!pfc) return tl::unexpected(pfc.error());
    compiled.pfc = *pfc;
    return compiled;
}

}  // namespace callcensus
