#include "callcensus/verify.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "bpf/filter.hpp"
#include "callcensus/compile.hpp"
#include "callcensus/meaning.hpp"
#include "meaning/libseccomp_filter.hpp"
#include "meaning/loading.hpp"
#include "meaning/runtime_calls.hpp"

namespace callcensus {
namespace {

struct Flag {
    std::string_view token;
    std::uint32_t bit;
};
// WAIT_KILLABLE_RECV is for a listener, and without one the kernel refuses it.
constexpr std::array flags{Flag{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
                           Flag{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
                           Flag{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW}};

// The arguments that are let through, of all that there are.
std::optional<ArgumentSet> let_through(const CallMeaning& meaning) {
    const ArgumentRegion region = meaning.let_through();
    return region.all_others ? difference(all_arguments(region.width), region.set)
                             : std::optional(region.set);
}

std::set<std::uint32_t> looked_at(const CallMeaning& meaning) {
    std::set<std::uint32_t> indexes;
    const ArgumentBox whole = all_arguments(meaning.width).boxes.front();
    for (const CallMeaning::Part& part : meaning.parts)
        for (const ArgumentBox& box : part.arguments.boxes)
            for (std::uint32_t i = 0; i < argument_count; ++i)
                if (box.at(i) != whole.at(i)) indexes.insert(i);
    return indexes;
}

}  // namespace

Decision PolicyInForce::decide(Syscall call, const Arguments& arguments,
                               std::uint64_t instruction_pointer) const {
    seccomp_data data{};
    data.nr = static_cast<int>(call.number);
    data.arch = info(call.abi).audit_arch;
    data.instruction_pointer = instruction_pointer;
    std::copy(arguments.begin(), arguments.end(), std::begin(data.args));
    return decision_of_answer(evaluate(filter, data).value_or(SECCOMP_RET_KILL_PROCESS));
}

std::optional<Decision> PolicyInForce::decide(Syscall call) const {
    if (looks_at.count(call) != 0) return std::nullopt;
    return decide(call, Arguments{});
}

// Of an execve that has replaced its program the arguments are gone.
std::optional<Decision> PolicyInForce::decide(const SyscallSeen& seen) const {
    if (seen.instruction_pointer == 0) return decide(seen.call);
    return decide(seen.call, seen.arguments, seen.instruction_pointer);
}

Result<PolicyInForce> put_in_force(const Profile& profile, const Machine& machine) {
    auto compiled = compile(profile, machine);
    if (!compiled) return tl::unexpected(compiled.error());
    const auto meaning = meaning_of(profile, machine);
    if (!meaning) return tl::unexpected(meaning.error());
    PolicyInForce policy;
    policy.filter = std::move(compiled->code);
    policy.losses = std::move(compiled->losses);
    for (const std::string& token : profile.flags) {
        const auto known =
            std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.token == token; });
        if (known != flags.end())
            policy.filter_flags |= known->bit;
        else
            policy.losses.push_back("the flag " + token);
    }
    // What is said of these is not what the filter does: only it can be asked, about each call.
    const auto compiled_wrong = calls_compiled_wrong(profile, machine, native_abi_of(machine).value());
    for (const auto& [abi, calls] : meaning->calls) {
        for (const auto& [name, call_meaning] : calls) {
            const auto number = syscall_number(abi, name);
            if (!number) continue;
            const Syscall call{abi, *number};
            if (compiled_wrong.count(name) != 0) {
                policy.looks_at.emplace(call, std::set<std::uint32_t>{0, 1, 2, 3, 4, 5});
                continue;
            }
            if (const Decision* constant = call_meaning.constant()) {
                if (lets_through(constant->action)) policy.let_through.insert(call);
                continue;
            }
            policy.looks_at.emplace(call, looked_at(call_meaning));
            if (auto arguments = let_through(call_meaning); arguments && !arguments->empty())
                policy.let_through_if.emplace(call, std::move(*arguments));
        }
        if (!lets_through(meaning->otherwise.action)) continue;
        for (const std::string& name : all_syscall_names())
            if (const auto number = syscall_number(abi, name); number && calls.count(name) == 0)
                policy.let_through.insert({abi, *number});
    }
    return policy;
}

bool is_denial(const Denial& denial) { return denial.decision && denial.decision->action != Action::notify; }

std::vector<Denial> denials_of(std::span<const Recording> recordings, const PolicyInForce& policy) {
    std::vector<Denial> denials;
    std::map<std::pair<Syscall, std::string>, std::size_t> index;
    for (const Recording& recording : recordings)
        for (const CallRecord& record : recording.calls) {
            const auto decision = policy.decide(record.call);
            if (decision && lets_through(decision->action)) continue;
            for (const auto& [executable, count] : record.by_executable) {
                const std::string& path = recording.executables[executable];
                const auto [entry, is_new] = index.try_emplace({record.call, path}, denials.size());
                if (!is_new) {
                    Denial& known = denials[entry->second];
                    known.count += count;
                    known.exact = known.exact && recording.exact_counts();
                    continue;
                }
                Denial denial;
                denial.call = record.call;
                denial.decision = decision;
                denial.executable = path;
                denial.text = name_or_number(record.call);
                denial.count = count;
                denial.exact = recording.exact_counts();
                if (record.first.executable == executable) {
                    denial.process = recording.processes[record.first.process].pid;
                    denial.first = record.first.at;
                }
                // A recording does not say which executable a site is of.
                if (record.by_executable.size() == 1 && !record.sites.empty())
                    denial.site = record.sites.front();
                denials.push_back(std::move(denial));
            }
        }
    return denials;
}

std::vector<Denial> denials_of(RuntimeSet runtime, bool no_new_privileges, const PolicyInForce& policy,
                               const Machine& machine) {
    std::vector<Denial> denials;
    const auto native = native_abi_of(machine);
    if (runtime == RuntimeSet::none || !native) return denials;
    ContainerUse use{.exec = false, .no_new_privileges = no_new_privileges, .denial_kills = false};
    const std::vector<std::string> always = runtime_calls(runtime, use);
    use.denial_kills = true;
    for (const std::string& name : runtime_calls(runtime, use)) {
        const auto number = syscall_number(*native, name);
        if (!number) continue;
        const Syscall call{*native, *number};
        if (policy.let_through.contains(call) || policy.let_through_if.count(call) != 0) continue;
        Denial denial;
        denial.call = call;
        denial.decision = policy.decide(call, Arguments{});
        if (!denial_kills(denial.decision->action) && !std::binary_search(always.begin(), always.end(), name))
            continue;
        denial.runtime = runtime == RuntimeSet::runc   ? "runc"
                         : runtime == RuntimeSet::crun ? "crun"
                                                       : "the container runtime";
        denial.text = name;
        denial.count = 1;
        denial.exact = false;
        denials.push_back(std::move(denial));
    }
    return denials;
}

}  // namespace callcensus
