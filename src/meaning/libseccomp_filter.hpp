// A filter that libseccomp makes: the calls of it that runtimes make, one by one. loading.hpp says in which
// order they make them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bpf/filter.hpp"
#include "callcensus/abi.hpp"
#include "callcensus/argument_set.hpp"
#include "callcensus/profile.hpp"
#include "callcensus/result.hpp"

namespace callcensus {

/// What a filter answers, as <linux/seccomp.h> has it and libseccomp takes it.
[[nodiscard]] std::uint32_t seccomp_action(const Decision& decision);
/// What the kernel does with a filter's answer: seccomp(2). One that it does not know kills the process.
[[nodiscard]] Decision decision_of_answer(std::uint32_t answer);

class LibseccompFilter {
  public:
    /// For calls of `native`, where libseccomp knows that ABI. Empty where it does not, or where the kernel
    /// does not know the default action.
    [[nodiscard]] static std::unique_ptr<LibseccompFilter> begin(const Decision& otherwise, Abi native);

    /// Covers calls of that ABI, too: those that it covers already included. Zero or a negative errno:
    /// -EINVAL for an ABI that libseccomp does not know, -EDOM for one of the other byte order.
    [[nodiscard]] int add_architecture(Abi abi);

    /// A rule for a call that it knows (libseccomp_knows()); runtimes ignore other names. Zero or a negative
    /// errno: -EEXIST where it contradicts what has been added, -EACCES where it repeats the default.
    [[nodiscard]] int add(const std::string& call, const Decision& decision, const Conditions& conditions);

    [[nodiscard]] Result<Filter> code() const;

    /// libseccomp's form for people.
    [[nodiscard]] Result<std::string> pfc() const;

  private:
    struct Release {
        void operator()(void* context) const;
    };
    using Context = std::unique_ptr<void, Release>;

    explicit LibseccompFilter(Context context) : context_(std::move(context)) {}

    Context context_;
};

/// Whether it comes to an end: tried out in a process of its own, for 0.2 s of its processor time. Given
/// rules of some kinds (compiles_as_read()) libseccomp 2.5.4 now and then computes for ever, when one is
/// added or the filter is written, and so do the runtimes.
[[nodiscard]] bool comes_to_an_end(const std::function<void()>& calls_of_libseccomp);

}  // namespace callcensus
