#include "meaning/loading.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>

#include "callcensus/abi.hpp"
#include "callcensus/meaning.hpp"
#include "meaning/speaking_rules.hpp"

namespace callcensus {
namespace {

void add_architectures(Loading& loading, const Profile& profile, Abi native) {
    const auto add = [&](const std::string& token) {
        const AbiInfo* row = find_abi_by_token(token);
        const int result = row == nullptr ? -EINVAL : loading.filter->add_architecture(row->abi);
        if (result == -EINVAL)
            loading.unknown_architectures.push_back(token);
        else if (result < 0 && !loading.architectures_error)
            loading.architectures_error = -result;
    };
    std::for_each(profile.architectures.begin(), profile.architectures.end(), add);
    for (const ArchitectureFamily& family : profile.arch_map)
        if (family.architecture == info(native).token)
            std::for_each(family.sub_architectures.begin(), family.sub_architectures.end(), add);
}

// Which rules meet in libseccomp, of a call itself or of what multiplexes it.
class Company {
  public:
    explicit Company(std::set<Abi> abis) : abis_(std::move(abis)) {}

    void add(const std::string& call, const Conditions& conditions) {
        by_call_[call].push_back(conditions);
        Rule rule;
        rule.args = conditions;
        for (const Abi abi : abis_)
            if (const auto by = multiplexed(abi, call)) {
                for (const Rule& through : through_multiplexer(rule, *by))
                    by_call_[std::string(by->call)].push_back(through.args);
                break;  // the same on all ABIs that have it
            }
    }
    [[nodiscard]] std::set<std::string> compiled_wrong() const {
        std::set<std::string> calls;
        for (const auto& [call, rules] : by_call_)
            if (!compiles_as_read(rules)) calls.insert(call);
        return calls;
    }

  private:
    std::set<Abi> abis_;
    std::map<std::string, std::vector<Conditions>> by_call_;
};

// A rule that a runtime adds.
struct Added {
    std::size_t rule;
    std::string call;
    Decision decision;
    Conditions conditions;
};

std::vector<Added> rules_added(const Profile& profile, const Machine& machine,
                               const std::set<std::string>* only) {
    std::vector<Added> all;
    for (std::size_t i = 0; i < profile.rules.size(); ++i) {
        const Rule& rule = profile.rules[i];
        const Decision decision = decision_of(rule);
        if (decision == default_decision(profile) || !applies(rule, machine)) continue;
        for (const std::string& call : names_of(rule)) {
            if ((only != nullptr && only->count(call) == 0) || !libseccomp_knows(call)) continue;
            for (Conditions& conditions : conditions_added(rule))
                all.push_back({i, call, decision, std::move(conditions)});
        }
    }
    return all;
}

Company company_of(const std::vector<Added>& rules, const Profile& profile, Abi native) {
    Company company(abis_of(profile, native));
    for (const Added& one : rules) company.add(one.call, one.conditions);
    return company;
}

// Up to the first one that is refused.
std::optional<Refusal> add_all(LibseccompFilter& filter, const std::vector<Added>& rules) {
    for (const Added& one : rules)
        if (const int result = filter.add(one.call, one.decision, one.conditions); result != 0)
            return Refusal{one.rule, one.call, -result};
    return std::nullopt;
}

// Whether a filter looks at the number of a call of that ABI.
bool looks_at_number(const Filter& filter, Abi abi) {
    const std::uint32_t arch = info(abi).audit_arch;
    bool arch_is_loaded = false;
    for (std::size_t at = 0; at < filter.size(); ++at) {
        const sock_filter& code = filter[at];
        if (code.code == (BPF_LD | BPF_W | BPF_ABS)) {
            if (code.k == offsetof(seccomp_data, nr)) return true;
            arch_is_loaded = code.k == offsetof(seccomp_data, arch);
        } else if (code.code == (BPF_JMP | BPF_JA)) {
            at += code.k;
        } else if (arch_is_loaded && code.code == (BPF_JMP | BPF_JEQ | BPF_K)) {
            at += code.k == arch ? code.jt : code.jf;
        } else {
            return false;
        }
    }
    return false;
}

// What libseccomp can put first, for want of a rule that it would rather.
bool may_begin_with_an_absent_call(const RulesByName& by_name, const Decision& otherwise, Abi abi) {
    bool any_absent = false;
    for (const auto& [name, rules] : by_name) {
        if (!libseccomp_knows(name)) continue;
        if (!syscall_number(abi, name))
            any_absent = true;
        else if (std::any_of(rules.begin(), rules.end(), [&](const Rule* rule) {
                     return rule->args.empty() && decision_of(*rule) != otherwise;
                 }))
            return false;
    }
    return any_absent;
}

}  // namespace

std::vector<Conditions> conditions_added(const Rule& rule) {
    if (!repeats_an_index(rule.args)) return {rule.args};
    std::vector<Conditions> each;
    for (const ArgumentCondition& condition : rule.args) each.push_back({condition});
    return each;
}

std::set<std::string> calls_compiled_wrong(const Profile& profile, const Machine& machine, Abi native) {
    return company_of(rules_added(profile, machine, nullptr), profile, native).compiled_wrong();
}

Loading load(const Profile& profile, const Machine& machine, Abi native, const std::set<std::string>* only) {
    Loading loading;
    loading.filter = LibseccompFilter::begin(default_decision(profile), native);
    if (!loading.filter) return loading;
    add_architectures(loading, profile, native);
    const std::vector<Added> all = rules_added(profile, machine, only);
    const auto try_out = [&] {
        static_cast<void>(add_all(*loading.filter, all));
        static_cast<void>(loading.filter->code());
    };
    loading.endless = !company_of(all, profile, native).compiled_wrong().empty() && !comes_to_an_end(try_out);
    if (!loading.endless) loading.refusal = add_all(*loading.filter, all);
    return loading;
}

std::set<Abi> abis_never_looked_at(const Profile& profile, const Machine& machine, Abi native) {
    const RulesByName by_name = rules_by_name(profile, machine);
    const std::set<Abi> abis = abis_of(profile, native);
    const bool share = abis.count(Abi::x86_64) != 0 && abis.count(Abi::x32) != 0;
    std::set<Abi> suspects;
    for (const Abi abi : abis) {
        const bool has_two = abi == Abi::x86_64 || abi == Abi::x32;
        if (has_two && !share) continue;
        // Of the two x86_64 comes first.
        if (may_begin_with_an_absent_call(by_name, default_decision(profile), has_two ? Abi::x86_64 : abi))
            suspects.insert(abi);
    }
    if (suspects.empty()) return suspects;
    const Loading loading = load(profile, machine, native);
    if (!loading.filter || loading.refusal || loading.endless) return {};
    const auto code = loading.filter->code();
    if (!code) return {};
    std::erase_if(suspects, [&](Abi abi) { return looks_at_number(*code, abi); });
    return suspects;
}

}  // namespace callcensus
