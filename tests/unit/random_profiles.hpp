// Random profiles for tests of properties, of few calls, small constants and overlapping rules, so that rules
// meet; and the arguments where they differ.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "callcensus/argument_set.hpp"
#include "callcensus/profile.hpp"

namespace callcensus::testing {

class RandomProfiles {
  public:
    explicit RandomProfiles(unsigned seed) : random_(seed) {}

    struct Wishes {
        bool large_constants = false;   // above 32 bits
        bool contexts = false;          // includes and excludes
        bool deny_rules = true;         // beside a default that denies
        bool every_action = false;      // by rules and by default; LOG only in rules
        bool repeated_indexes = false;  // several conditions on one argument, which hold one or the other
        std::vector<std::string> calls{"read", "clone", "socket", "socketcall", "statx", "mseal", "semop"};
        std::vector<std::string> architectures{"SCMP_ARCH_X86_64"};
    };

    Profile profile(const Wishes& wishes) {
        Profile profile;
        profile.default_action = below(8) == 0 ? Action::kill_process : Action::errno_;
        if (profile.default_action == Action::errno_) profile.default_errno_ret = below(2) == 0 ? 38 : 1;
        if (wishes.every_action) {
            static const std::vector<Action> actions{Action::errno_,       Action::errno_, Action::allow,
                                                     Action::kill_process, Action::trap,   Action::trace,
                                                     Action::kill_thread};
            profile.default_action = actions[below(static_cast<unsigned>(actions.size()))];
            profile.default_errno_ret = number_of_decision();
        }
        profile.architectures = wishes.architectures;
        const unsigned rules = 1 + below(5);
        for (unsigned i = 0; i < rules; ++i) {
            profile.rules.push_back(rule(wishes));
            if (wishes.every_action) choose_decision(profile.rules.back(), profile);
        }
        return profile;
    }

    std::uint64_t value(bool large) {
        const std::uint64_t low = below(6) == 0 ? 0xffffffff : below(5);
        return low | (large ? std::uint64_t{below(3)} << 32 : 0);
    }

    Arguments arguments(bool large) {
        Arguments all{};
        for (std::uint64_t& argument : all) argument = value(large);
        return all;
    }

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  private:
    std::uint32_t number_of_decision() {
        static const std::vector<std::uint32_t> numbers{0, 1, 2, 38, 95, 4093};
        return numbers[below(static_cast<unsigned>(numbers.size()))];
    }

    void choose_decision(Rule& rule, const Profile& profile) {
        static const std::vector<Action> actions{Action::allow,       Action::allow,       Action::errno_,
                                                 Action::errno_,      Action::errno_,      Action::trap,
                                                 Action::trace,       Action::log,         Action::notify,
                                                 Action::kill_thread, Action::kill_process};
        rule.action = actions[below(static_cast<unsigned>(actions.size()))];
        rule.errno_ret = number_of_decision();
        if (below(8) != 0) return;  // else it repeats the default
        rule.action = profile.default_action;
        rule.errno_ret = profile.default_errno_ret;
    }

    Rule rule(const Wishes& wishes) {
        static const std::vector<Comparison> operators{Comparison::ne, Comparison::lt,       Comparison::le,
                                                       Comparison::eq, Comparison::ge,       Comparison::gt,
                                                       Comparison::eq, Comparison::masked_eq};
        Rule rule;
        const unsigned names = 1 + below(3);
        std::set<std::string> chosen;
        for (unsigned i = 0; i < names; ++i)
            chosen.insert(wishes.calls[below(static_cast<unsigned>(wishes.calls.size()))]);
        rule.names.assign(chosen.begin(), chosen.end());
        if (wishes.deny_rules && below(3) == 0) {
            rule.action = Action::errno_;
            rule.errno_ret = 1 + below(3);
        } else if (below(6) == 0) {
            rule.action = Action::log;
        }
        unsigned used = 0;
        for (unsigned conditions = below(3); conditions > 0; --conditions) {
            ArgumentCondition condition;
            condition.index = below(3);
            if ((used >> condition.index & 1) != 0 && !wishes.repeated_indexes) continue;
            used |= 1U << condition.index;
            condition.op = operators[below(static_cast<unsigned>(operators.size()))];
            condition.value = value(wishes.large_constants);
            if (condition.op == Comparison::masked_eq)
                condition.value_two = value(wishes.large_constants) & condition.value;
            rule.args.push_back(condition);
        }
        if (wishes.contexts) {
            static const std::vector<std::string> caps{"CAP_SYS_ADMIN", "CAP_CHOWN"};
            static const std::vector<std::string> arches{"amd64", "arm64", "s390x"};
            static const std::vector<std::string> kernels{"4.8", "5.3"};
            for (Context* context : {&rule.includes, &rule.excludes}) {
                if (below(4) == 0) context->caps = {caps[below(2)]};
                if (below(5) == 0) context->arches = {arches[below(3)]};
                if (below(6) == 0) context->min_kernel = kernels[below(2)];
            }
        }
        return rule;
    }

    std::mt19937_64 random_;
};

}  // namespace callcensus::testing
