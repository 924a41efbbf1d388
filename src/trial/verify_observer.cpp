#include "trial/verify_observer.hpp"

#include <fmt/format.h>

#include "callcensus/call_text.hpp"
#include "callcensus/describe.hpp"

namespace callcensus {
namespace {

// Of one call: a rule for each would be no narrower than one for all.
constexpr std::size_t max_arguments = 64;

// A target can make up numbers without a name, and executables: of the former so many are told, and beyond so
// many findings the latter are one.
constexpr std::size_t max_unnamed = 256;
constexpr std::size_t max_findings = 16384;
const std::string others = "[others]";
const std::string not_known;

}  // namespace

VerifyObserver::VerifyObserver(const PolicyInForce& policy, const Target& target, Wishes wishes)
    : policy_(policy), target_(target), wishes_(std::move(wishes)) {}

Verdict VerifyObserver::on(const Event& event) {
    collector_.on(event);
    if (const auto* seen = std::get_if<SyscallSeen>(&event)) {
        if (!is_of_our_making(*seen)) look_at(*seen);
    } else if (std::holds_alternative<Following>(event) && wishes_.following)
        wishes_.following();
    return Verdict::go_on;
}

// A task that sleeps while we come goes on by restart_syscall: the first call that it makes then, or the
// second that is reported, after the one that it slept in.
bool VerifyObserver::is_of_our_making(const SyscallSeen& seen) {
    if (!std::holds_alternative<Attach>(target_)) return false;
    constexpr std::uint32_t first_calls = 2;
    std::uint32_t& calls = calls_after_coming_[seen.task.serial];
    if (calls == first_calls) return false;
    ++calls;
    return name_or_number(seen.call) == "restart_syscall";
}

void VerifyObserver::look_at(const SyscallSeen& seen) {
    const bool has_arguments = seen.instruction_pointer != 0;
    const auto decision = policy_.decide(seen);
    if (!decision || !lets_through(decision->action)) {
        note_denial(seen, decision);
    } else if (wishes_.usage) {
        if (syscall_name(seen.call).empty()) return;  // which no profile can allow by name
        ArgumentsOfCall& arguments = used_[seen.call];
        if (has_arguments && arguments.size() < max_arguments)
            arguments.insert(looked_at(seen.call, seen.arguments));
    }
}

Arguments VerifyObserver::looked_at(Syscall call, const Arguments& arguments) const {
    Arguments kept{};
    // A 64-bit program's `int 0x80` shows whole registers, of which the kernel takes the low halves.
    const std::uint64_t largest = largest_argument(argument_width(call.abi));
    if (const auto indexes = policy_.looks_at.find(call); indexes != policy_.looks_at.end())
        for (const std::uint32_t index : indexes->second) kept.at(index) = arguments.at(index) & largest;
    return kept;
}

std::optional<std::pair<std::size_t, bool>> VerifyObserver::finding_of(
    Syscall call, const std::string& executable, const std::optional<Decision>& decision) {
    if (const auto known = index_.find({call, executable, decision}); known != index_.end())
        return std::pair(known->second, false);
    const bool is_unnamed = syscall_name(call).empty();
    if (is_unnamed && unnamed_ >= max_unnamed) return std::nullopt;
    const std::string& whose = found_.size() < max_findings ? executable : others;
    const auto [entry, is_new] = index_.try_emplace({call, whose, decision}, found_.size());
    if (is_new) {
        unnamed_ += is_unnamed ? 1 : 0;
        Found found;
        found.denial.call = call;
        found.denial.decision = decision;
        found.denial.executable = whose;
        found_.push_back(std::move(found));
    }
    return std::pair(entry->second, is_new);
}

void VerifyObserver::note_denial(const SyscallSeen& seen, const std::optional<Decision>& decision) {
    const ProcessTree& tree = collector_.tree();
    const ProcessTree::Task* const task = tree.find(seen.task);
    const auto finding =
        finding_of(seen.call, task != nullptr ? tree.executable_of(*task->process) : not_known, decision);
    if (!finding) {
        ++left_out_;
        return;
    }
    const auto [index, is_new] = *finding;
    const bool arguments_matter = decision && policy_.looks_at.count(seen.call) != 0;
    if (is_new) {
        Found& found = found_[index];
        Denial& denial = found.denial;
        denial.process = task != nullptr ? task->process->pid : 0;
        denial.thread = seen.task.tid;
        denial.text = seen.instruction_pointer != 0 ? call_text(seen) : name_or_number(seen.call);
        denial.first = collector_.elapsed();
        if (arguments_matter) denial.first_arguments = looked_at(seen.call, seen.arguments);
        denial.site = collector_.attribution().site_of(seen);
        if (wishes_.stacks) found.stack = collector_.attribution().stack_of(seen);
        if (wishes_.tell)
            wishes_.tell(fmt::format("{}: {} (by {}, process {})",
                                     decision ? describe(*decision) : "denied, or not, by its arguments",
                                     denial.text, denial.executable, denial.process));
    }
    Denial& denial = found_[index].denial;
    ++denial.count;
    if (!arguments_matter || of_many_arguments_.count(index) != 0) return;
    denial.arguments.insert(looked_at(seen.call, seen.arguments));
    if (denial.arguments.size() <= max_arguments) return;
    denial.arguments.clear();
    of_many_arguments_.insert(index);
}

Recording VerifyObserver::recording() const {
    Recording rest = collector_.recording();
    if (left_out_ != 0)
        rest.notes.push_back(
            fmt::format("{} calls by further numbers without a name would be denied, too, and are not listed",
                        left_out_));
    return rest;
}

std::vector<Found> VerifyObserver::found() const { return found_; }

std::vector<Used> VerifyObserver::used() const {
    std::vector<Used> used;
    for (const auto& [call, arguments] : used_) {
        used.push_back({call, std::nullopt});
        if (!arguments.empty()) used.back().arguments.emplace(arguments.begin(), arguments.end());
    }
    return used;
}

}  // namespace callcensus
